/** Whether a process lives, on Linux and macOS. A negative number is a group: whether any process of it lives. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
