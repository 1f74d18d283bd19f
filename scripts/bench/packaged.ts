/** The functions and the template as they are deployed. */
import { existsSync } from 'node:fs';
import packaged from '../../test/kit/package-once.ts';
import { zipOf } from '../../test/kit/packaged.ts';

/** Packages what is there now. A quick run takes what is there: beside it may be tests, which read it. */
export async function havePackaged(quick: boolean): Promise<void> {
  if (!quick || !existsSync(zipOf('login'))) await packaged();
}
