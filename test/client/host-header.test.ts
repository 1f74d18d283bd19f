import { expect, test } from 'vitest';
import { hostHeader } from '../../lib/edges/flashblade/attempt.ts';

test.for([
  ['fb1.example.com', 443, 'fb1.example.com'],
  ['fb1.example.com', 8443, 'fb1.example.com:8443'],
  ['fb1.example.com', 10443, 'fb1.example.com:10443'],
  ['192.0.2.1', 443, '192.0.2.1'],
  ['2001:db8::1', 443, '[2001:db8::1]'],
  ['2001:db8::1', 8443, '[2001:db8::1]:8443'],
] satisfies [string, number, string][])('%s and port %d are named %s, as Node would', ([host, port, expected]) => {
  expect(hostHeader({ host, port })).toBe(expected);
});
