/** Turns shapes into SVG text, with light and dark colors, system fonts, no scripts and no external resources. */

export type Tone = 'plain' | 'blue' | 'green' | 'amber' | 'red';
export type Style = 'title' | 'code' | 'line' | 'label' | 'head' | 'number';
export type Point = readonly [x: number, y: number];

export type Box = {
  readonly kind: 'box';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly tone?: Tone;
  readonly isDashed?: boolean;
  readonly title?: string;
  /** Whether the title is a name from the code. */
  readonly isCode?: boolean;
  readonly lines?: readonly string[];
};
/** Surrounds other shapes. */
export type Frame = Omit<Box, 'kind' | 'tone' | 'title' | 'isCode' | 'lines'> & { readonly kind: 'frame' };
/** `y` is the baseline of the first line. */
export type Label = {
  readonly kind: 'label';
  readonly x: number;
  readonly y: number;
  readonly lines: readonly string[];
  readonly style?: Style;
  readonly anchor?: Anchor;
};
export type Arrow = {
  readonly kind: 'arrow';
  readonly points: readonly Point[];
  readonly isDashed?: boolean;
  /** Arrowheads at both ends, for a span of time. */
  readonly isSpan?: boolean;
  /** The two states whose transition the arrow shows. */
  readonly shows?: readonly [from: string, to: string];
};
/** A thin dotted line behind everything else. */
export type Guide = { readonly kind: 'guide'; readonly from: Point; readonly to: Point };
/** A step's number in a circle around (x, y). */
export type Badge = { readonly kind: 'badge'; readonly x: number; readonly y: number; readonly number: number };
/** A ring (an item ends) or a cross (a process ends) around (x, y). */
export type Mark = { readonly kind: 'ring' | 'cross'; readonly x: number; readonly y: number };
export type Shape = Box | Frame | Label | Arrow | Guide | Badge | Mark;

export type Picture = {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly description: string;
  readonly shapes: readonly Shape[];
};

type Anchor = 'start' | 'middle' | 'end';
type Colors = {
  readonly page: string;
  readonly edge: string;
  readonly ink: string;
  readonly muted: string;
  readonly arrow: string;
  readonly badge: string;
  readonly onBadge: string;
  /** Fill and border of a box. */
  readonly tones: Readonly<Record<Tone, readonly [string, string]>>;
};

/** GitHub's own colors on an explicit background, so that a picture is legible even on a page in the other mode. */
export const COLORS: Readonly<Record<'light' | 'dark', Colors>> = {
  light: {
    ...{ page: '#ffffff', edge: '#d1d9e0', ink: '#1f2328', muted: '#59636e', arrow: '#6e7781' },
    ...{ badge: '#0969da', onBadge: '#ffffff' },
    tones: {
      plain: ['#f6f8fa', '#868f99'],
      blue: ['#ddf4ff', '#0969da'],
      green: ['#dafbe1', '#1a7f37'],
      amber: ['#fff8c5', '#9a6700'],
      red: ['#ffebe9', '#cf222e'],
    },
  },
  dark: {
    ...{ page: '#0d1117', edge: '#30363d', ink: '#f0f6fc', muted: '#a0a8b2', arrow: '#8b949e' },
    ...{ badge: '#1f6feb', onBadge: '#ffffff' },
    tones: {
      plain: ['#161b22', '#656d76'],
      blue: ['#121d2f', '#4493f8'],
      green: ['#12261e', '#3fb950'],
      amber: ['#272115', '#d29922'],
      red: ['#2a161a', '#f85149'],
    },
  },
};

const SANS = 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Helvetica,Arial,sans-serif';
const MONO = 'ui-monospace,SFMono-Regular,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace';

/** `color`: a key of `Colors`. `height`: the distance from one line to the next. */
export const STYLES: Readonly<Record<Style, { size: number; weight: number; color: keyof Colors; height: number }>> = {
  title: { size: 15, weight: 600, color: 'ink', height: 22 },
  code: { size: 14, weight: 600, color: 'ink', height: 22 },
  line: { size: 14, weight: 400, color: 'muted', height: 19 },
  label: { size: 14, weight: 400, color: 'ink', height: 19 },
  head: { size: 14, weight: 600, color: 'muted', height: 19 },
  number: { size: 13, weight: 700, color: 'onBadge', height: 19 },
};
export const BADGE_RADIUS = 11;
const MARK_RADIUS = 7;

/** One line of text, and where it is drawn. `box`: the box that must contain the line. */
export type Line = {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly style: Style;
  readonly anchor: Anchor;
  readonly box?: Box;
};

export function linesOf(shape: Shape): Line[] {
  if (shape.kind === 'label') {
    const { lines, x, y, style = 'label', anchor = 'start' } = shape;
    return lines.map((text, index) => ({ text, x, y: y + index * STYLES[style].height, style, anchor }));
  }
  if (shape.kind === 'badge') {
    const { x, y, number } = shape;
    return [{ text: String(number), x, y: y + 4.5, style: 'number', anchor: 'middle' }];
  }
  if (shape.kind !== 'box') return [];
  const { x, y, width, height, title, isCode, lines = [] } = shape;
  const all = [
    ...(title === undefined ? [] : [{ text: title, style: isCode ? ('code' as const) : ('title' as const) }]),
    ...lines.map((text) => ({ text, style: title === undefined ? ('label' as const) : ('line' as const) })),
  ];
  let top = y + (height - all.reduce((sum, { style }) => sum + STYLES[style].height, 0)) / 2;
  return all.map(({ text, style }) => {
    const { size, height: lineHeight } = STYLES[style];
    const baseline = top + lineHeight / 2 + size * 0.35;
    top += lineHeight;
    return { text, x: x + width / 2, y: baseline, style, anchor: 'middle' as const, box: shape };
  });
}

/** The same picture always produces the same text. */
export function svgOf({ width, height, title, description, shapes }: Picture): string {
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const page = `<rect class="page" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="12"/>`;
  const behind = (kind: Shape['kind']): number => ['guide', 'frame', 'arrow'].indexOf(kind) >>> 0;
  const ordered = shapes.toSorted((a, b) => behind(a.kind) - behind(b.kind));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-labelledby="title desc">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="desc">${escaped(description)}</desc>`,
    `<style>${styleSheet()}</style>`,
    page,
    ...ordered.flatMap((shape) => [...outlineOf(shape), ...linesOf(shape).map(textOf)]),
    '</svg>',
    '',
  ].join('\n');
}

function outlineOf(shape: Shape): string[] {
  switch (shape.kind) {
    case 'label':
      return [];
    case 'frame':
      return [rectangle(shape, 'frame', 12)];
    case 'box':
      return [rectangle(shape, shape.tone ?? 'plain', 8)];
    case 'guide':
      return [`<path class="guide" d="M${shape.from} L${shape.to}"/>`];
    case 'badge':
      return [`<circle class="badge" cx="${shape.x}" cy="${shape.y}" r="${BADGE_RADIUS}"/>`];
    case 'ring': {
      const { x, y } = shape;
      return [
        `<circle class="mark" cx="${x}" cy="${y}" r="${MARK_RADIUS}"/>`,
        `<circle class="tip" cx="${x}" cy="${y}" r="3"/>`,
      ];
    }
    case 'cross': {
      const [left, right] = [shape.x - MARK_RADIUS, shape.x + MARK_RADIUS];
      const [top, bottom] = [shape.y - MARK_RADIUS, shape.y + MARK_RADIUS];
      return [`<path class="cross" d="M${left},${top} L${right},${bottom} M${left},${bottom} L${right},${top}"/>`];
    }
    case 'arrow': {
      const tips = [tipOf(shape.points), ...(shape.isSpan ? [tipOf(shape.points.toReversed())] : [])];
      const tip = tips.map((path) => `<path class="tip" d="${path}"/>`).join('');
      return [`<path class="arrow${shape.isDashed ? ' dashed' : ''}" d="${curveOf(shape.points)}"/>${tip}`];
    }
  }
}

function rectangle({ x, y, width, height, isDashed }: Box | Frame, name: string, radius: number): string {
  const classes = isDashed ? `${name} dashed` : name;
  return `<rect class="${classes}" x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}"/>`;
}

function textOf({ text, x, y, style, anchor }: Line): string {
  const aligned = anchor === 'start' ? '' : ` text-anchor="${anchor}"`;
  return `<text class="${style}" x="${x}" y="${rounded(y)}"${aligned}>${escaped(text)}</text>`;
}

/** A line through the points, with rounded corners. */
function curveOf(points: readonly Point[]): string {
  const parts = points.map((point, index) => {
    const [before, after] = [points[index - 1], points[index + 1]];
    if (before === undefined) return `M${point}`;
    if (after === undefined) return `L${point}`;
    return `L${towards(point, before, 8)} Q${point} ${towards(point, after, 8)}`;
  });
  return parts.join(' ');
}

/** The arrowhead at the last point. */
function tipOf(points: readonly Point[]): string {
  const [before, end] = points.slice(-2) as [Point, Point];
  const [x, y] = towards(end, before, 9);
  const [dx, dy] = [(end[1] - y) * 0.5, (x - end[0]) * 0.5];
  return `M${end} L${rounded(x + dx)},${rounded(y + dy)} L${rounded(x - dx)},${rounded(y - dy)} Z`;
}

function towards([x, y]: Point, [otherX, otherY]: Point, distance: number): Point {
  const length = Math.hypot(otherX - x, otherY - y);
  return [rounded(x + ((otherX - x) * distance) / length), rounded(y + ((otherY - y) * distance) / length)];
}

function styleSheet(): string {
  const fonts = Object.entries(STYLES).map(([name, { size, weight }]) => {
    const family = name === 'code' ? `;font-family:${MONO}` : '';
    return `.${name}{font-size:${size}px;font-weight:${weight}${family}}`;
  });
  return [
    `text{font-family:${SANS}}`,
    ...fonts,
    'rect{stroke-width:1.5}.page,.frame{stroke-width:1}.frame{fill:none}',
    '.arrow,.guide,.mark,.cross{fill:none;stroke-width:1.5}.cross{stroke-width:3;stroke-linecap:round}',
    '.dashed{stroke-dasharray:5 4}.guide{stroke-width:1;stroke-dasharray:1 4;stroke-linecap:round}',
    colorsOf(COLORS.light),
    `@media (prefers-color-scheme:dark){${colorsOf(COLORS.dark)}}`,
  ].join('');
}

function colorsOf(colors: Colors): string {
  const { page, edge, arrow, badge, tones } = colors;
  return [
    ...Object.entries(STYLES).map(([name, { color }]) => `.${name}{fill:${colors[color]}}`),
    ...Object.entries(tones).map(([name, [fill, stroke]]) => `.${name}{fill:${fill};stroke:${stroke}}`),
    `.page{fill:${page};stroke:${edge}}`,
    `.frame{stroke:${tones.plain[1]}}.arrow,.guide,.mark{stroke:${arrow}}.tip{fill:${arrow}}`,
    `.badge{fill:${badge}}.cross{stroke:${tones.red[1]}}`,
  ].join('');
}

const rounded = (value: number): number => Math.round(value * 10) / 10;
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
