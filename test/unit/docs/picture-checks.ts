/** Finds what makes a picture hard to read: text that does not fit, things that cover each other, colors that are too similar. */
import {
  BADGE_RADIUS,
  type Box,
  COLORS,
  type Line,
  linesOf,
  type Picture,
  type Point,
  type Shape,
  STYLES,
} from '../../../docs/pictures/svg.ts';

/** Free space between a text and its box or the picture's edge. */
const MARGIN = 6;
/** Free space between a text and an arrow. */
const GAP = 2;
/** WCAG 2, level AA: text, and lines that carry meaning. */
const TEXT_CONTRAST = 4.5;
const LINE_CONTRAST = 3;

type Area = { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number };
type Rectangle = Pick<Box, 'x' | 'y' | 'width' | 'height'>;

/** Returns a message for each fault. */
export function faultsOf(picture: Picture): string[] {
  const whole = { x: 0, y: 0, ...picture };
  const lines = picture.shapes.flatMap(linesOf);
  const boxes = picture.shapes.filter((shape) => shape.kind === 'box');
  const textOverlaps = pairs(lines).filter(([a, b]) => overlap(areaOfText(a), areaOfText(b)));
  const boxOverlaps = pairs(boxes).filter(([a, b]) => overlap(areaOf(a), areaOf(b)));
  return [
    ...lines
      .filter((line) => !fits(line, line.box ?? whole) || !fits(line, whole))
      .map(({ text }) => `"${text}" does not fit`),
    ...boxes.filter((box) => !isInside(areaOf(box), areaOf(whole))).map((box) => `${nameOf(box)} is outside`),
    ...textOverlaps.map(([a, b]) => `"${a.text}" covers "${b.text}"`),
    ...boxOverlaps.map(([a, b]) => `${nameOf(a)} covers ${nameOf(b)}`),
    ...lines.flatMap((line) => covered(line, boxes)),
    ...picture.shapes.flatMap((shape) => crossings(shape, lines, boxes)),
  ];
}

/** How wide a text is at most: the widest of the usual system fonts, DejaVu Sans, decides. */
export function widthOf({ text, style }: Pick<Line, 'text' | 'style'>): number {
  const { size, weight } = STYLES[style];
  if (style === 'code') return text.length * 0.61 * size;
  const ems = [...text].reduce((sum, character) => sum + emOf(character), 0);
  return ems * size * (weight > 400 ? 1.13 : 1);
}

function emOf(character: string): number {
  if (/[ijlI']/.test(character)) return 0.29;
  if (/[ .,:;/]/.test(character)) return 0.34;
  if (/[frt()-]/.test(character)) return 0.4;
  if (/[mwMW]/.test(character)) return 0.98;
  if (/[A-Z+<>]/.test(character)) return 0.79;
  return 0.64;
}

function areaOfText(line: Line): Area {
  const { x, y, style, anchor } = line;
  const { size } = STYLES[style];
  const width = widthOf(line);
  const left = anchor === 'start' ? x : anchor === 'end' ? x - width : x - width / 2;
  return { left, right: left + width, top: y - size * 0.78, bottom: y + size * 0.22 };
}

/** The area that is `by` smaller on each side. */
const areaOf = ({ x, y, width, height }: Rectangle, by = 0): Area => ({
  ...{ left: x + by, right: x + width - by, top: y + by, bottom: y + height - by },
});

const overlap = (a: Area, b: Area): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
const isInside = (a: Area, b: Area): boolean =>
  a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;

function fits(line: Line, limit: Rectangle): boolean {
  const text = areaOfText(line);
  return isInside({ ...text, left: text.left - MARGIN, right: text.right + MARGIN }, areaOf(limit));
}

function covered(line: Line, boxes: readonly Box[]): string[] {
  if (line.style === 'number') return [];
  const others = boxes.filter((box) => box !== line.box && overlap(areaOfText(line), areaOf(box)));
  return others.map((box) => `"${line.text}" is covered by ${nameOf(box)}`);
}

/** Arrows and guides that touch a text, arrows that go through a box, and badges on a text. */
function crossings(shape: Shape, lines: readonly Line[], boxes: readonly Box[]): string[] {
  if (shape.kind === 'badge') {
    const side = 2 * BADGE_RADIUS;
    const circle = areaOf({ x: shape.x - BADGE_RADIUS, y: shape.y - BADGE_RADIUS, width: side, height: side });
    const texts = lines.filter((line) => line.style !== 'number' && overlap(areaOfText(line), circle));
    return texts.map(({ text }) => `badge ${shape.number} covers "${text}"`);
  }
  if (shape.kind !== 'arrow' && shape.kind !== 'guide') return [];
  const points = shape.kind === 'arrow' ? shape.points : [shape.from, shape.to];
  const strokes = points.slice(1).map((point, index) => strokeOf(points[index] as Point, point));
  const isCrossed = (area: Area): boolean => strokes.some((stroke) => overlap(stroke, area));
  // A guide is drawn behind the boxes, which hide it from their texts.
  const texts = lines.filter((line) => (shape.kind === 'arrow' || !line.box) && isCrossed(areaOfText(line)));
  const through = shape.kind === 'guide' ? [] : boxes.filter((box) => isCrossed(areaOf(box, 2 * GAP)));
  return [
    ...(strokes.some(({ left, right, top, bottom }) => right - left > 2 * GAP && bottom - top > 2 * GAP)
      ? ['an arrow is neither horizontal nor vertical']
      : []),
    ...texts.map(({ text }) => `a line crosses "${text}"`),
    ...through.map((box) => `an arrow goes through ${nameOf(box)}`),
  ];
}

const strokeOf = ([fromX, fromY]: Point, [toX, toY]: Point): Area => ({
  left: Math.min(fromX, toX) - GAP,
  right: Math.max(fromX, toX) + GAP,
  top: Math.min(fromY, toY) - GAP,
  bottom: Math.max(fromY, toY) + GAP,
});

const nameOf = ({ title, lines = [] }: Box): string => `the box ${title ?? lines[0]}`;
const pairs = <T>(all: readonly T[]): [T, T][] =>
  all.flatMap((a, index) => all.slice(index + 1).map((b): [T, T] => [a, b]));

/** Texts and lines whose color is too close to what is behind them. */
export function contrastFaults(picture: Picture, colors = COLORS): string[] {
  return Object.entries(colors).flatMap(([mode, { page, arrow, tones, badge, ...rest }]) => {
    const palette: Record<string, string> = rest;
    const texts = picture.shapes.flatMap(linesOf).map(({ text, style, box }) => {
      const back = style === 'number' ? badge : box ? tones[box.tone ?? 'plain'][0] : page;
      return { what: `"${text}"`, ratio: contrast(palette[STYLES[style].color] ?? '', back), least: TEXT_CONTRAST };
    });
    const borders = Object.entries(tones).map(([tone, [, border]]) => [tone, border] as const);
    const lines = [['arrow', arrow] as const, ['badge', badge] as const, ...borders].map(([what, color]) => {
      return { what, ratio: contrast(color, page), least: LINE_CONTRAST };
    });
    const faults = [...texts, ...lines].filter(({ ratio, least }) => ratio < least);
    return faults.map(({ what, ratio }) => `${mode}: ${what} has a contrast of ${ratio.toFixed(1)}`);
  });
}

/** By WCAG 2. */
export function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((start) => {
    const value = Number.parseInt(color.slice(start, start + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
