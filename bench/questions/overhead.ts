/**
 * Compares the warm functions' CPU time with that of a bare client. The client makes either no AWS calls or the same number as the
 * functions.
 */
import { resultOf } from '../../test/kit/lambda/outcome.ts';
import { LEASE_TABLE } from '../../test/kit/lease-table.ts';
import { ARRAY, ROUNDS } from '../../test/packaged/counters/rounds.ts';
import { compare } from '../compare.ts';
import { openStage } from '../functions.ts';
import type { Answer, Question } from '../report.ts';

const BARE = 'bare client';
const AWS_CALLS = [...ROUNDS.login, ...ROUNDS.logout].flat().filter((step) => !step.startsWith('POST ')).length;
const WITH_PUTS = `${BARE} and ${AWS_CALLS} conditional puts`;
const TABLE = 'puts';

export const overhead: Question = {
  name: 'overhead',
  title: 'The warm functions login and logout, compared with a bare client',
  ask: async (quick): Promise<Answer> => {
    await using stack = new AsyncDisposableStack();
    const stage = await openStage(quick, stack);
    await stage.aws.dynamodb.createTable(LEASE_TABLE, TABLE);
    const bare = await stage.startHandler('bare');
    const [login, logout] = [stage.lambdaOf('login'), stage.lambdaOf('logout')];
    const { port, certificate: ca, apiToken } = stage.simulator;
    const cycles = quick ? 2 : 20;
    let leases = 0;

    const session = async (): Promise<void> => {
      const leaseId = `overhead-${++leases}`;
      resultOf(await stage.login({ array: ARRAY, leaseId }));
      resultOf(await stage.logout({ leaseId }));
    };
    const bareSession = (puts: number) => async (): Promise<void> => {
      resultOf(await bare.invoke({ port, ca, apiToken, table: TABLE, puts }));
    };
    const contender = (name: string, baseline: string, cycle: () => Promise<unknown>) => ({
      name,
      baseline,
      run: async () => {
        // A process reports its CPU time when it responds.
        await cycle();
        const cpu = () => [bare, login, logout].reduce((sum, { cpuMs = 0 }) => sum + cpuMs, 0);
        const [cpuMs, startedAt] = [cpu(), performance.now()];
        for (let nth = 0; nth < cycles; nth++) await cycle();
        return { wallMs: (performance.now() - startedAt) / cycles, cpuMs: (cpu() - cpuMs) / cycles };
      },
    });
    const compared = await compare(
      [
        contender(BARE, BARE, bareSession(0)),
        contender(WITH_PUTS, BARE, bareSession(AWS_CALLS)),
        contender('login and logout', WITH_PUTS, session),
      ],
      quick ? { rounds: 1, warmUp: 1 } : { rounds: 30, warmUp: 10 },
    );
    return {
      tables: [
        {
          columns: ['per session', 'CPU ms', 'CPU, × baseline', 'baseline'],
          rows: compared.map(({ name, cpu, baseline }) => [name, cpu.ms.median, cpu.ratio, baseline]),
        },
      ],
      goals: [],
      notes: [
        "All contenders run warm under AWS's runtime client. The bare client uses node:https and checks only the status.",
        `Login and logout make ${AWS_CALLS} AWS calls per session. The baseline makes the same number of conditional puts, one after another.`,
      ],
    };
  },
};
