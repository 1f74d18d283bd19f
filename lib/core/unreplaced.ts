/**
 * Recognizes text that a tool should have replaced before it sent a request, such as `${JOB}` or `undefined`. Such text identifies nothing,
 * because every run of a job would send the same text. Messages name the tool and the fix, but never the text itself.
 */

const MISSING =
  'looks like a placeholder for a missing value (such as undefined, null, None or string). Pass the real value';
const SCHEDULER =
  "contains <aws.…>, which only EventBridge Scheduler replaces, and only in a schedule's own input. Invoke the function from a schedule, or pass another value";
const PATH =
  'looks like a Step Functions path or function that was not replaced. End the field\'s name with ".$", as in "owner.$": "$$.Execution.Id", or, in a JSONata state, use {% … %}';
const QUERY =
  'contains {% … %}, which was not replaced. Step Functions replaces it only in a state whose QueryLanguage is JSONata, and only if it encloses the whole value';
const VARIABLE =
  'looks like a variable that was not replaced, such as $JOB. In a shell, use double quotes; in CloudFormation, use Fn::Sub; in JavaScript, use backticks';
const TEMPLATE = 'looks like a template that was not rendered. Render the template, then send the request';

const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/^\W?(undefined|null|nan|none|nil|true|false|string)\W?$/i, MISSING],
  [/\[object \w/, MISSING],
  [/<aws\.[\w.-]*>/, SCHEDULER],
  [/\{%|%\}/, QUERY],
  [/\$\$?\.|\$\[|^\$\$?$|^\$(states|context)\b|\bStates\.[A-Z]\w*\(/, PATH],
  // The names of Lambda's log streams contain `[$LATEST]`, so a variable without braces is recognized only at the beginning.
  [/[$#@%]\{|\$\(|^\$\w|^%[A-Za-z_]\w*%$/, VARIABLE],
  [/\{\{|\}\}|<%|%>|<[\w.:$-]+>|\{\w{0,32}\}|^%[sd]$/, TEMPLATE],
];

/**
 * If the text is a placeholder that a tool should have replaced, returns what it looks like and how to correct it, worded to follow a field
 * name. Otherwise, returns undefined.
 */
export const unreplaced = (text: string): string | undefined => SIGNS.find(([sign]) => sign.test(text))?.[1];
