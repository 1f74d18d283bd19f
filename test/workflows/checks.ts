/** What a state machine must do so that its sessions end: rules that the language's own validator does not know. */
import { leaseFaults, mapFaults, taskFaults, timeFaults } from './task-checks.ts';
import { failureFaults, keepFaults, wayFaults } from './way-checks.ts';

export const CHECKS = { taskFaults, timeFaults, leaseFaults, mapFaults, wayFaults, failureFaults, keepFaults };
