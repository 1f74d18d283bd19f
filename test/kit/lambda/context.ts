/** The context that Lambda passes to a function. */
import type { Context } from 'aws-lambda';

export const contextOf = (awsRequestId: string, remainingMs = 60_000): Context => ({
  callbackWaitsForEmptyEventLoop: true,
  functionName: 'login',
  functionVersion: '$LATEST',
  invokedFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:login',
  memoryLimitInMB: '512',
  awsRequestId,
  logGroupName: '/aws/lambda/login',
  logStreamName: '2026/11/24/[$LATEST]0',
  getRemainingTimeInMillis: () => remainingMs,
  done: () => {},
  fail: () => {},
  succeed: () => {},
});
