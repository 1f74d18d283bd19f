/** Whether a process is running, on Linux and macOS. A negative number is a process group. It is running if any process in it is. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
