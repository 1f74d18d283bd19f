/** Rules that a state machine must follow so that its sessions end, beyond those of the language's own validator. */
import { leaseFaults, mapFaults, taskFaults, timeFaults } from './task-checks.ts';
import { failureFaults, keepFaults, wayFaults } from './way-checks.ts';

export const CHECKS = { taskFaults, timeFaults, leaseFaults, mapFaults, wayFaults, failureFaults, keepFaults };
