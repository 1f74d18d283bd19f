/** The questions, in the order in which they are asked. */
import type { Question } from './question.ts';
import { cold } from './questions/cold.ts';
import { fleet } from './questions/fleet.ts';
import { fresh } from './questions/fresh.ts';
import { ledger } from './questions/ledger.ts';
import { overhead } from './questions/overhead.ts';
import { warm } from './questions/warm.ts';

export const QUESTIONS: readonly Question[] = [warm, fresh, cold, overhead, fleet, ledger];
