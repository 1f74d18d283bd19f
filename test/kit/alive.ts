/** Whether a process is running, on Linux and macOS. A negative number is a process group, which is running if any of its processes is. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
