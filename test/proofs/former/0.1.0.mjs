// lib/ground/errors.ts
var ERROR_CODES = {
  CONFIG_INVALID: { retryable: false },
  REQUEST_INVALID: { retryable: false },
  ARRAY_UNKNOWN: { retryable: false },
  SECRET_INVALID: { retryable: false },
  SECRET_UNAVAILABLE: { retryable: true },
  ARRAY_UNREACHABLE: { retryable: true },
  ARRAY_UNTRUSTED: { retryable: false },
  ARRAY_BUSY: { retryable: true },
  ARRAY_UNSUPPORTED: { retryable: false },
  LOGIN_REFUSED: { retryable: false },
  LOGIN_UNKNOWN: { retryable: true },
  ANSWER_INVALID: { retryable: false },
  FORBIDDEN: { retryable: false },
  LEASE_OPENING: { retryable: true },
  LEASE_CONFLICT: { retryable: false },
  LEASE_UNKNOWN: { retryable: false },
  LEASE_ENDED: { retryable: false },
  LEASE_LIMIT: { retryable: true },
  LEASE_ALTERED: { retryable: false },
  AWS_UNAVAILABLE: { retryable: true },
  OUT_OF_TIME: { retryable: true },
  INTERNAL: { retryable: false }
};
var FlashBladeError = class extends Error {
  code;
  retryable;
  facts;
  constructor(code, message, facts = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.retryable = ERROR_CODES[code].retryable;
    this.facts = facts;
  }
};
var isFlashBladeError = (error, ...codes) => error instanceof FlashBladeError && (codes.length === 0 || codes.includes(error.code));
function known(error) {
  if (error instanceof FlashBladeError) return error;
  const name = error instanceof Error && /^[A-Za-z]{1,80}$/.test(error.name) ? error.name : "error";
  const internal = new FlashBladeError("INTERNAL", `an unexpected ${name}: please report it with its stack`, {
    mayHaveOpened: true
  });
  const places = error instanceof Error ? error.stack?.replace(error.message, "").match(/^ {4}at .*$/gm) : void 0;
  if (places) internal.stack = [`INTERNAL: ${internal.message}`, ...places].join("\n");
  return internal;
}

// lib/edges/seal.ts
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

// lib/ground/model.ts
import { inspect } from "node:util";
var Token = class {
  kind;
  #value;
  constructor(kind, value) {
    this.kind = kind;
    this.#value = value;
    Object.freeze(this);
  }
  /** The only way out of the wrapper. Search the code for it: every place that sees a token is there. */
  reveal() {
    return this.#value;
  }
  toString() {
    return `[${this.kind}]`;
  }
  toJSON() {
    return this.toString();
  }
  [inspect.custom]() {
    return this.toString();
  }
};

// lib/ground/trust.ts
import { createHash, X509Certificate } from "node:crypto";
function trustDigest(trust) {
  const parts = trust.kind === "ca" ? [trust.ca] : trust.kind === "fingerprints" ? [...trust.fingerprints].sort() : [];
  return createHash("sha256").update(JSON.stringify([trust.kind, ...parts])).digest("base64url");
}
var addressOf = ({ host, port }) => host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

// lib/edges/seal.ts
var NONCE_BYTES = 12;
var sealContext = (leaseId, target) => ({
  leaseId,
  array: target.name,
  host: addressOf(target),
  trust: trustDigest(target.trust)
});
function sealToken(key, token, context) {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key.plaintext, nonce).setAAD(associated(context));
  const box = Buffer.concat([cipher.update(token.reveal(), "utf8"), cipher.final(), cipher.getAuthTag()]);
  key.plaintext.fill(0);
  return ["1", ...[key.encrypted, nonce, box].map((part) => Buffer.from(part).toString("base64url"))].join(".");
}
var associated = ({ leaseId, array: array2, host, trust }) => Buffer.from(JSON.stringify([leaseId, array2, host, trust]));

// lib/ground/lease-items.ts
var leaseKey = (leaseId) => `lease#${leaseId}`;
var suspectKey = (attemptId) => `suspect#${attemptId}`;
var ownerKey = (ownerId) => `owner#${ownerId}`;
var refusalKey = (array2, secretVersionId) => `refusal#${array2}#${secretVersionId}`;

// lib/ground/lease-states.ts
var CLAIM_SECONDS = 60;
var RETRY_SECONDS = 10;
var TRIES_UNTIL_STUCK = 6;
var STUCK_RETRY_SECONDS = 600;
var KEEP_CLOSED_SECONDS = 30 * 86400;
function intend(current, intent, now) {
  if (current === void 0) return { write: openingOf(intent, now) };
  if (current.target && current.target.name !== intent.target.name) {
    throw refused("LEASE_CONFLICT", intent.leaseId, "belongs to another array: use another lease id");
  }
  if (current.state === "OPENING") {
    if (current.endRequested) throw refused("LEASE_ENDED", intent.leaseId, "was released: use another lease id");
    if (!isDead(current, now))
      throw refused("LEASE_OPENING", intent.leaseId, "is being opened by another call: try again");
    if (current.again) throw refused("LEASE_ENDED", intent.leaseId, "lost its session: use another lease id");
    return { write: openingOf(intent, now) };
  }
  if (current.state === "OPEN" && current.expiresAt > now) return { serve: current };
  throw refused("LEASE_ENDED", intent.leaseId, "has ended: use another lease id");
}
var openingOf = ({ leaseSeconds, ...intent }, now) => ({
  kind: "lease",
  id: leaseKey(intent.leaseId),
  version: "",
  state: "OPENING",
  ...intent,
  createdAt: now,
  attemptedAt: now,
  expiresAt: now + leaseSeconds,
  dueAt: intent.openingUntil
});
var isDead = (item, now) => item.openingUntil < now;
function reopen(item, attempt, now) {
  const { username: _username, sealed: _sealed, ...base } = item;
  return { ...base, ...attempt, state: "OPENING", attemptedAt: now, again: true, dueAt: attempt.openingUntil };
}
function record(current, attempt, session) {
  if (current?.state !== "OPENING" || current.attemptId !== attempt.attemptId) {
    throw refused("LEASE_OPENING", attempt.leaseId, "was taken over by another call while logging in: try again");
  }
  if (current.endRequested) throw refused("LEASE_ENDED", current.leaseId, "was released while it was being opened");
  const { openingUntil: _until, attemptedAt: _at, again: _again, ...base } = current;
  return { ...base, ...session, state: "OPEN", dueAt: current.expiresAt };
}
var giveUp = (current, now) => current.endRequested || current.again ? close(current, now) : "remove";
function suspect(item, idleSeconds) {
  const until = item.openingUntil + idleSeconds;
  return {
    kind: "suspect",
    id: suspectKey(item.attemptId),
    version: "",
    attemptId: item.attemptId,
    leaseId: item.leaseId,
    target: item.target,
    since: item.attemptedAt,
    until,
    dueAt: until
  };
}
function release(current, leaseId, attemptId, now) {
  if (current === void 0) return { state: "NOTHING", write: tombstone(leaseId, attemptId, now) };
  if (current.state === "CLOSED") return { state: "CLOSED" };
  if (current.state !== "OPENING") return { state: "LIVE", write: claim(current, now) };
  if (isDead(current, now)) return { state: "DEAD", write: close(current, now) };
  return { state: "ENDING", write: { ...current, endRequested: true } };
}
var tombstone = (leaseId, attemptId, now) => ({
  kind: "lease",
  id: leaseKey(leaseId),
  version: "",
  attemptId,
  leaseId,
  state: "CLOSED",
  createdAt: now,
  closedAt: now,
  purgeAt: now + KEEP_CLOSED_SECONDS
});
var claim = (item, now) => ({
  ...item,
  state: item.state === "STUCK" ? "STUCK" : "CLOSING",
  tries: "tries" in item ? item.tries : 0,
  dueAt: now + CLAIM_SECONDS
});
function close(item, now) {
  const { kind, id, version, attemptId, leaseId, owner, target, createdAt, expiresAt } = item;
  const kept = { kind, id, version, attemptId, leaseId, target, createdAt, expiresAt };
  return {
    ...kept,
    ...owner === void 0 ? {} : { owner },
    state: "CLOSED",
    closedAt: now,
    purgeAt: now + KEEP_CLOSED_SECONDS
  };
}
function postpone(item, now, random, hopeless) {
  const tries = item.tries + 1;
  if (hopeless || tries >= TRIES_UNTIL_STUCK || item.state === "STUCK") {
    return { ...item, state: "STUCK", tries, dueAt: now + STUCK_RETRY_SECONDS };
  }
  const seconds2 = RETRY_SECONDS * 2 ** (tries - 1) * (0.5 + random);
  return { ...item, tries, dueAt: now + Math.ceil(seconds2) };
}
function renew(current, expiresAt, now) {
  if (current.state === "OPENING") throw refused("LEASE_OPENING", current.leaseId, "is being opened: try again");
  if (current.state !== "OPEN" || current.expiresAt <= now) {
    throw refused("LEASE_ENDED", current.leaseId, "has ended and cannot be renewed: open another session");
  }
  const later = Math.max(current.expiresAt, expiresAt);
  return { ...current, expiresAt: later, dueAt: later };
}
var refused = (code, leaseId, rule) => new FlashBladeError(code, `lease ${leaseId} ${rule}`);

// lib/ground/time.ts
var MARGIN_MS = 750;
var RECORD_MS = 2e3;
var LOGOUT_MS = 3e3;
var CLOCK_SKEW_SECONDS = 5;
function openingDeadlines(deadline, now) {
  const logout = deadline - MARGIN_MS;
  const record2 = logout - LOGOUT_MS;
  const login = record2 - RECORD_MS;
  if (now >= login) throw outOfTime("open a session");
  return { login, record: record2, logout, openingUntil: seconds(deadline) + 1 + CLOCK_SKEW_SECONDS };
}
function closingDeadlines(deadline, now) {
  const record2 = deadline - MARGIN_MS;
  const logout = record2 - RECORD_MS;
  if (now >= logout) throw outOfTime("close a session");
  return { logout, record: record2 };
}
var seconds = (ms) => Math.floor(ms / 1e3);
var outOfTime = (what) => new FlashBladeError(
  "OUT_OF_TIME",
  `too little time is left to ${what}: nothing was begun; give the function more time`
);

// lib/story/ledger.ts
var ROUNDS = 3;
async function readLease(edges, leaseId, by) {
  const item = await edges.leases.read(leaseKey(leaseId), by);
  return item?.kind === "lease" ? { ...item, leaseId } : void 0;
}
var stamped = (edges, item) => ({ ...item, version: edges.newId() });
var contended = (leaseId) => new FlashBladeError("LEASE_OPENING", `lease ${leaseId} is being changed by other calls: try again`);
async function refuseIfMarked(edges, { array: array2, versionId }, by) {
  const marker = await edges.leases.read(refusalKey(array2.name, versionId), by);
  if (marker?.kind !== "refusal" || marker.until <= seconds(edges.now())) return;
  throw new FlashBladeError(
    "LOGIN_REFUSED",
    `array ${array2.name} refused the API token of secret version ${versionId} within the last ten minutes and is not asked again: correct the secret`
  );
}
async function writeSuspect(edges, opening, by) {
  const { leaseId, attemptId, target } = opening;
  const item = stamped(edges, suspect(opening, edges.limits.arrayIdleSeconds));
  if (!await edges.leases.write(item, void 0, by)) return;
  const message = `a login without a known outcome was recorded: array ${target.name} may hold a session until it is idle for too long`;
  edges.report({ event: "SuspectRecorded", leaseId, array: target.name, requestId: attemptId, message });
  const place = { attemptId, until: item.until, limit: Number.MAX_SAFE_INTEGER };
  await tidy(edges, opening, async () => void await edges.leases.join(target.name, suspectKey(attemptId), place, by));
}
async function settle(edges, attempt, by) {
  const { leaseId, attemptId, target } = attempt;
  await tidy(edges, attempt, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const current = await readLease(edges, leaseId, by);
      const inUse = current !== void 0 && current.state !== "CLOSED" && current.target.name === target.name;
      const mine = current?.attemptId === attemptId && current.state === "OPENING";
      if (inUse && !mine) return;
      if (!mine) break;
      const next = giveUp(current, seconds(edges.now()));
      if (next === "remove" && await edges.leases.remove(current, by)) break;
      if (next !== "remove" && await edges.leases.write(stamped(edges, next), current, by)) {
        return edges.leases.leave(target.name, leaseId, by);
      }
    }
    await edges.leases.leave(target.name, leaseId, by, attemptId);
  });
}
async function tidy(edges, of, work) {
  try {
    await work();
  } catch (error) {
    const { code, message } = known(error);
    edges.report({ event: "LedgerWriteFailed", leaseId: of.leaseId, array: of.target.name, code, message });
  }
}

// lib/story/close-session.ts
async function closeSession(edges, leaseId, deadline) {
  const by = closingDeadlines(deadline, edges.now());
  for (let round = 0; round < ROUNDS; round++) {
    const current = await readLease(edges, leaseId, by.record);
    const outcome = await tryToClose(edges, leaseId, current, by);
    const array2 = current?.target?.name;
    if (outcome) return { leaseId, ...array2 === void 0 ? {} : { array: array2 }, outcome };
  }
  throw contended(leaseId);
}
async function tryToClose(edges, leaseId, current, by) {
  const step = release(current, leaseId, edges.newId(), seconds(edges.now()));
  if (step.state === "CLOSED") return "ALREADY_CLOSED";
  if (step.state === "LIVE") return logOut(edges, current, stamped(edges, step.write), by);
  if (step.state === "DEAD" && current?.state === "OPENING") await writeSuspect(edges, current, by.record);
  if (!await edges.leases.write(stamped(edges, step.write), current, by.record)) return void 0;
  if (step.state === "DEAD" && current?.target) await leave(edges, leaseId, current.target.name, by);
  return step.state === "NOTHING" ? "NEVER_OPENED" : step.state === "DEAD" ? "SUSPECT" : "ENDING";
}
async function logOut(edges, current, claimed, by) {
  const { leaseId, target, username, sealed } = claimed;
  const context = sealContext(leaseId, target);
  const [claim2, token] = await Promise.allSettled([
    edges.leases.write(claimed, current, by.logout),
    edges.seal.unseal(sealed, context, by.logout)
  ]);
  if (claim2.status === "rejected") throw claim2.reason;
  if (!claim2.value) return void 0;
  const requestId = edges.newId();
  const startedAt = edges.now();
  const facts = { leaseId, array: target.name, requestId };
  try {
    if (token.status === "rejected") throw token.reason;
    const session = { array: target, authToken: token.value, username };
    const { status } = await edges.flashblade.logout(session, { deadline: by.logout, requestId });
    const durationMs = edges.now() - startedAt;
    edges.report({ event: "LogoutSucceeded", ...facts, status, durationMs, message: "logged out" });
  } catch (error) {
    const {
      code,
      message,
      facts: { status }
    } = known(error);
    edges.report({ event: "LogoutFailed", ...facts, code, status, durationMs: edges.now() - startedAt, message });
    await putOff(edges, claimed, known(error), by);
    throw known(error);
  }
  const closed = stamped(edges, close(claimed, seconds(edges.now())));
  await Promise.all([
    tidy(edges, claimed, async () => void await edges.leases.write(closed, claimed, by.record)),
    leave(edges, leaseId, target.name, by)
  ]);
  return "CLOSED";
}
async function putOff(edges, claimed, error, by) {
  const hopeless = isFlashBladeError(error, "LEASE_ALTERED", "ANSWER_INVALID", "INTERNAL");
  const next = stamped(edges, postpone(claimed, seconds(edges.now()), edges.random(), hopeless));
  await tidy(edges, claimed, async () => void await edges.leases.write(next, claimed, by.record));
  const facts = { leaseId: claimed.leaseId, array: claimed.target.name, code: error.code };
  if (error.code === "LEASE_ALTERED") edges.report({ event: "LeaseAltered", ...facts, message: error.message });
  if (next.state === "STUCK") {
    const message = `a session of user ${claimed.username} on array ${claimed.target.name} is still open after ${next.tries} tries to close it; mend the cause, then invoke logout for lease ${claimed.leaseId}: ${error.message}`;
    edges.report({ event: "LeaseStuck", ...facts, message });
  }
}
var leave = (edges, leaseId, array2, by) => tidy(edges, { leaseId, target: { name: array2 } }, () => edges.leases.leave(array2, leaseId, by.record));

// lib/ground/ledger-marks.ts
var OWNER_AGAIN_SECONDS = 60;
var REFUSAL_SECONDS = 600;
var endOwner = (ownerId, attemptId, now) => ({
  kind: "owner",
  id: ownerKey(ownerId),
  version: "",
  attemptId,
  ownerId,
  endedAt: now,
  dueAt: now + OWNER_AGAIN_SECONDS,
  purgeAt: now + KEEP_CLOSED_SECONDS
});
function settleOwner({ dueAt: _dueAt, ...item }) {
  return item;
}
var refuse = (array2, secretVersionId, attemptId, now) => ({
  kind: "refusal",
  id: refusalKey(array2, secretVersionId),
  version: "",
  attemptId,
  until: now + REFUSAL_SECONDS,
  purgeAt: now + REFUSAL_SECONDS
});

// lib/ground/pool.ts
async function eachOf(items, limit, work) {
  let next = 0;
  const worker = async () => {
    while (next < items.length) await work(items[next++]);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}

// lib/story/end-owner.ts
var AT_A_TIME = 8;
async function endOwnerOf(edges, ownerId, deadline, told) {
  const by = closingDeadlines(deadline, edges.now());
  const item = stamped(edges, endOwner(ownerId, edges.newId(), seconds(edges.now())));
  const before = await edges.leases.read(ownerKey(ownerId), by.logout);
  if (!before) await edges.leases.write(item, void 0, by.logout);
  return closeLeasesOf(edges, ownerId, deadline, told);
}
async function closeLeasesOf(edges, ownerId, deadline, told) {
  const by = closingDeadlines(deadline, edges.now());
  const results = [];
  const failures = [];
  await eachOf(await edges.leases.ofOwner(ownerId, by.logout), AT_A_TIME, async (leaseId) => {
    try {
      const result = await closeSession(edges, leaseId, deadline);
      results.push(result);
      await told?.(result);
    } catch (error) {
      failures.push(known(error));
    }
  });
  const failure = failures.find(({ retryable }) => retryable) ?? failures[0];
  if (failure) throw failure;
  return results;
}

// lib/story/login-attempt.ts
var READ_BACK_MS = 500;
async function loginUnder(edges, opening, key, secret, by) {
  const startedAt = edges.now();
  const facts = {
    leaseId: opening.leaseId,
    array: secret.array.name,
    secretVersionId: secret.versionId,
    requestId: opening.attemptId
  };
  let session;
  const ownerEnded = hasOwnerEnded(edges, opening, by.login);
  try {
    if (startedAt >= by.login) throw outOfTime("log in");
    const answer = await edges.flashblade.login(secret.array, secret.apiToken, {
      deadline: by.login,
      requestId: opening.attemptId
    });
    session = answer.data;
    const durationMs = edges.now() - startedAt;
    edges.report({ event: "LoginSucceeded", ...facts, status: answer.status, durationMs, message: "logged in" });
  } catch (error) {
    const failure = known(error);
    const durationMs = edges.now() - startedAt;
    const { message, code } = failure;
    edges.report({ event: "LoginFailed", ...facts, code, status: failure.facts.status, durationMs, message });
    throw await afterFailedLogin(edges, opening, secret, failure, by);
  }
  return { opened: await recordOrUndo(edges, opening, key, session, ownerEnded, by), session };
}
async function afterFailedLogin(edges, opening, secret, error, by) {
  if (error.facts.mayHaveOpened) return loseTrack(edges, opening, error, by.logout);
  if (error.code === "LOGIN_REFUSED") {
    const now = seconds(edges.now());
    const marker = stamped(edges, refuse(opening.target.name, secret.versionId, opening.attemptId, now));
    await tidy(edges, opening, async () => {
      const previous = await edges.leases.read(marker.id, by.logout);
      await edges.leases.write(marker, previous, by.logout);
    });
  }
  await settle(edges, opening, by.logout);
  return error;
}
async function recordOrUndo(edges, opening, key, session, ownerEnded, by) {
  const { leaseId, target } = opening;
  let open;
  try {
    const refusal = await ownerEnded;
    if (refusal) throw refusal;
    const sealed = sealToken(key, session.authToken, sealContext(leaseId, target));
    const recorded = { username: session.username, sealed };
    open = stamped(edges, record(opening, opening, recorded));
    if (await edges.leases.write(open, opening, by.record)) return open;
    record(await readLease(edges, leaseId, by.record), opening, recorded);
    throw new FlashBladeError(
      "LEASE_OPENING",
      `lease ${leaseId} was changed by another call while logging in: try again`
    );
  } catch (error) {
    if (open && await isWritten(edges, open, by.record + READ_BACK_MS)) return open;
    throw await undo(edges, opening, session, known(error), by);
  }
}
async function isWritten(edges, open, by) {
  try {
    return (await edges.leases.read(open.id, by))?.version === open.version;
  } catch {
    return false;
  }
}
async function hasOwnerEnded(edges, { leaseId, owner }, by) {
  if (owner === void 0) return void 0;
  try {
    const ended2 = await edges.leases.read(ownerKey(owner), by);
    return ended2 && new FlashBladeError("LEASE_ENDED", `lease ${leaseId}: the owner it was asked for has ended`);
  } catch (error) {
    return known(error);
  }
}
async function undo(edges, opening, session, error, by) {
  const requestId = edges.newId();
  const facts = { leaseId: opening.leaseId, array: opening.target.name, requestId };
  try {
    const { status } = await edges.flashblade.logout(session, { deadline: by.logout, requestId });
    edges.report({ event: "LogoutSucceeded", ...facts, status, message: `logged out again: ${error.message}` });
  } catch (failure) {
    const { code, message } = known(failure);
    edges.report({ event: "LogoutFailed", ...facts, code, message });
    return loseTrack(edges, opening, error, by.logout);
  }
  await settle(edges, opening, by.logout);
  return error;
}
async function loseTrack(edges, opening, error, by) {
  const { leaseId, attemptId, target, again } = opening;
  let fate = "the ledger could not be told so, and keeps its intent, of which the sweeper will tell";
  let recorded = false;
  await tidy(edges, opening, async () => {
    const current = await readLease(edges, leaseId, by);
    recorded = current?.state === "OPEN" && current.attemptId === attemptId;
    if (recorded) return;
    await writeSuspect(edges, opening, by);
    fate = "it is recorded as SUSPECT and ends by the array's idle time-out";
    await settle(edges, opening, by);
  });
  if (recorded) return error;
  const advice = again ? "the lease has ended, use another lease id" : "ask for the session again";
  return new FlashBladeError(
    "LOGIN_UNKNOWN",
    `array ${target.name} may hold a session of lease ${leaseId} whose auth token nobody has; ${fate}; ${advice} (${error.code}: ${error.message})`,
    error.facts
  );
}

// lib/story/open-session.ts
async function openSession(edges, request, deadline) {
  const by = openingDeadlines(deadline, edges.now());
  const secret = await edges.secrets.read(request.array, { by: by.login });
  try {
    return await openWith(edges, request, secret, by);
  } catch (error) {
    if (!isFlashBladeError(error, "LOGIN_REFUSED")) throw error;
    const newer = await edges.secrets.read(request.array, { by: by.login, fresh: true }).catch(() => secret);
    if (newer.versionId === secret.versionId) throw error;
    return openWith(edges, request, newer, by);
  }
}
async function openWith(edges, request, secret, by) {
  const intended = await declareIntent(edges, request, secret, by);
  if ("serve" in intended) return leaseOf(intended.serve);
  const { opened } = await loginUnder(edges, intended.opening, intended.key, secret, by);
  return leaseOf(opened);
}
var leaseOf = ({ leaseId, target, username, expiresAt }) => ({
  leaseId,
  array: target.name,
  username,
  expiresAt
});
async function declareIntent(edges, request, secret, by) {
  const { leaseId, leaseSeconds, owner } = request;
  const { array: array2 } = secret;
  const attemptId = edges.newId();
  const { openingUntil } = by;
  const intent = {
    leaseId,
    attemptId,
    target: array2,
    leaseSeconds,
    openingUntil,
    ...owner === void 0 ? {} : { owner }
  };
  const place = { attemptId, until: openingUntil, limit: edges.limits.sessionsPerArray };
  const [intended, key, joined, marker] = await Promise.allSettled([
    writeIntent(edges, intent, by),
    edges.seal.dataKey(sealContext(leaseId, array2), by.login),
    edges.leases.join(array2.name, leaseId, place, by.login),
    refuseIfMarked(edges, secret, by.login)
  ]);
  try {
    const result = settled(intended);
    if ("serve" in result) {
      edges.report({ event: "LeaseServed", leaseId, array: array2.name, message: "the lease was open already" });
      return result;
    }
    if (!settled(joined)) throw tooMany(array2.name, place.limit);
    settled(marker);
    return { opening: result.opening, key: settled(key) };
  } catch (error) {
    await settle(edges, intent, by.record);
    throw error;
  }
}
async function writeIntent(edges, intent, by) {
  let current;
  for (let round = 0; round < ROUNDS; round++) {
    const decision = intend(current, intent, seconds(edges.now()));
    if ("serve" in decision) return decision;
    if (current?.state === "OPENING") await writeSuspect(edges, current, by.login);
    const opening = stamped(edges, decision.write);
    if (await edges.leases.write(opening, current, by.login)) return { opening };
    current = await readLease(edges, intent.leaseId, by.login);
  }
  throw contended(intent.leaseId);
}
function settled(result) {
  if (result.status === "rejected") throw result.reason;
  return result.value;
}
var tooMany = (array2, limit) => new FlashBladeError(
  "LEASE_LIMIT",
  `array ${array2} has ${limit} live leases already (SESSIONS_PER_ARRAY): close some, or wait`
);

// lib/edges/flashblade.ts
var compareVersions = (a, b) => {
  const [x, y] = [a, b].map((one) => one.split(".").map(Number));
  for (let n = 0; n < Math.max(x.length, y.length); n++) {
    const d = (x[n] ?? -1) - (y[n] ?? -1);
    if (d !== 0) return d;
  }
  return 0;
};

// lib/ground/requests.ts
import * as v2 from "valibot";

// lib/ground/check.ts
import * as v from "valibot";
var text = (rule, holds) => v.pipe(v.string(rule), holds instanceof RegExp ? v.regex(holds, rule) : v.check(holds, rule));
function whole(min, max) {
  const rule = `must be a whole number from ${min} to ${max}`;
  return v.pipe(v.number(rule), v.integer(rule), v.minValue(min, rule), v.maxValue(max, rule));
}
var listOf = (item, max, rule) => v.pipe(v.array(v.unknown(), rule), v.minLength(1, rule), v.maxLength(max, rule), v.array(item));
var jsonObject = (rule) => v.custom(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  rule
);
var fields = (entries) => v.pipe(
  jsonObject("must be a JSON object"),
  v.transform((input) => Object.fromEntries(Object.keys(entries).map((name) => [name, ownOf(input, name)]))),
  v.object(entries)
);
var onlyFields = (entries) => v.pipe(
  jsonObject("must be a JSON object"),
  v.rawCheck(({ dataset, addIssue }) => {
    const other = dataset.typed && Object.keys(dataset.value).find((name) => !Object.hasOwn(entries, name));
    if (typeof other !== "string") return;
    addIssue({ message: `has a field that is not known${isName(other) ? `: ${other}` : ""}` });
  }),
  fields(entries)
);
var ownOf = (input, name) => Object.hasOwn(input, name) ? input[name] : void 0;
var arrayName = text(
  "must be the name of an array: 1 to 64 letters, digits, dots, hyphens or underscores, beginning with a letter or digit",
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
);
var callersId = text("must be 1 to 512 visible ASCII characters without spaces", /^[!-~]{1,512}$/);
function check2(schema, input, code, what) {
  const result = v.safeParse(schema, input, { abortEarly: true });
  if (result.success) return result.output;
  throw new FlashBladeError(code, `${what}: ${describe(result.issues[0])}`);
}
function describe({ path, message }) {
  if (path === void 0) return message;
  const steps = path.map(({ key }) => typeof key === "number" || isName(String(key)) ? String(key) : "\u2026");
  return `${steps.join(".")} ${message}`;
}
var isName = (key) => /^[A-Za-z][A-Za-z_-]{0,31}$/.test(key);

// lib/ground/requests.ts
var DEFAULT_LEASE_SECONDS = 900;
var loginRequest = onlyFields({
  array: arrayName,
  leaseId: v2.optional(callersId),
  leaseSeconds: v2.optional(whole(60, 86400)),
  owner: v2.optional(callersId)
});
var logoutRequest = onlyFields({ leaseId: callersId });
var renewRequest = onlyFields({ leaseId: callersId, expiresAt: whole(1, 9999999999) });
function parseLoginRequest(input, invocationId) {
  const { array: array2, leaseId, leaseSeconds, owner } = check2(loginRequest, input, "REQUEST_INVALID", "login request");
  return {
    array: array2,
    leaseId: leaseId ?? invocationId,
    leaseSeconds: leaseSeconds ?? DEFAULT_LEASE_SECONDS,
    ...owner === void 0 ? {} : { owner }
  };
}
var MAX_QUERY_NAMES = 100;
var query = v2.pipe(
  jsonObject("must be a JSON object of names and plain values"),
  // First whether there are too many.
  v2.check(
    (value) => Object.keys(value).length <= MAX_QUERY_NAMES,
    `must be a JSON object of at most ${MAX_QUERY_NAMES} names`
  ),
  v2.check((value) => !Object.hasOwn(value, "__proto__"), "must not have the name __proto__"),
  v2.rawCheck(({ dataset, addIssue }) => {
    const input = dataset.typed ? dataset.value : {};
    for (const [key, value] of Object.entries(input)) {
      if (["string", "number", "boolean"].includes(typeof value)) continue;
      addIssue({
        message: "must be text, a number or a boolean",
        path: [{ type: "object", origin: "value", input, key, value }]
      });
      return;
    }
  }),
  v2.transform((value) => value)
);
var callRequest = onlyFields({
  leaseId: callersId,
  method: v2.picklist(["GET", "POST", "PUT", "PATCH", "DELETE"], "must be GET, POST, PUT, PATCH or DELETE"),
  path: text("must be a path below /api/, without query, of at most 1024 characters", /^\/api\/[!-~]{1,1019}$/),
  query: v2.optional(query),
  body: v2.optional(v2.unknown())
});
var fleetRule = "must be a list of 1 to 10000 names of arrays";
var fleetRequest = onlyFields({
  arrays: v2.optional(listOf(arrayName, 1e4, fleetRule))
});

// lib/story/edges.ts
var environmentEdges = () => {
  throw new Error("no edges");
};

// lib/story/held-session.ts
async function hold(edges, leaseId, by) {
  return { ...await unsealed(edges, await readOpen(edges, leaseId, by), by), works: true };
}
async function holdAgain(edges, held, deadline) {
  const by = openingDeadlines(deadline, edges.now());
  const { lease, session } = held;
  const current = await readOpen(edges, lease.leaseId, by.login);
  if (!sameTarget(current.target, lease.target)) throw altered(edges, lease);
  if (current.attemptId !== lease.attemptId) return { ...await unsealed(edges, current, by.login), works: false };
  if (!held.works) return held;
  const secret = await edges.secrets.read(lease.target.name, { by: by.login, fresh: true });
  if (!sameTarget(secret.array, lease.target)) {
    throw ended(lease.leaseId, "lost its session, and the secret now names another host, port or trust");
  }
  const [key] = await Promise.all([
    edges.seal.dataKey(sealContext(lease.leaseId, lease.target), by.login),
    refuseIfMarked(edges, secret, by.login)
  ]);
  await edges.flashblade.logout(session, { deadline: by.login, requestId: edges.newId() });
  const attempt = { attemptId: edges.newId(), openingUntil: by.openingUntil };
  const opening = stamped(edges, reopen(current, attempt, seconds(edges.now())));
  if (!await edges.leases.write(opening, current, by.login))
    throw ended(lease.leaseId, "was changed by another call");
  const { opened, session: fresh } = await loginUnder(edges, opening, key, secret, by);
  return { lease: opened, session: fresh, works: false };
}
async function readOpen(edges, leaseId, by) {
  const item = await readLease(edges, leaseId, by);
  if (item === void 0) {
    throw new FlashBladeError("LEASE_UNKNOWN", `there is no lease ${leaseId}: open a session first, or correct the id`);
  }
  const now = seconds(edges.now());
  if (item.state === "OPENING" && isDead(item, now)) throw ended(leaseId, "died while it was being opened");
  if (item.state === "OPENING") {
    throw new FlashBladeError("LEASE_OPENING", `lease ${leaseId} is being opened: try again`);
  }
  if (item.state !== "OPEN" || item.expiresAt <= now) throw ended(leaseId, "has ended");
  return item;
}
async function unsealed(edges, lease, by) {
  const { leaseId, target, username } = lease;
  try {
    const authToken2 = await edges.seal.unseal(lease.sealed, sealContext(leaseId, target), by);
    return { lease, session: { array: target, authToken: authToken2, username } };
  } catch (error) {
    if (isFlashBladeError(error, "LEASE_ALTERED")) tellAltered(edges, lease, error.message);
    throw error;
  }
}
var sameTarget = (a, b) => a.name === b.name && a.host === b.host && a.port === b.port && trustDigest(a.trust) === trustDigest(b.trust);
var ended = (leaseId, why) => new FlashBladeError("LEASE_ENDED", `lease ${leaseId} ${why}: open another session`);
function altered(edges, lease) {
  const { leaseId, target } = lease;
  const message = `lease ${leaseId} of array ${target.name} names another array, host or trust than when it was opened: see who writes to the lease table`;
  tellAltered(edges, lease, message);
  return new FlashBladeError("LEASE_ALTERED", message);
}
var tellAltered = (edges, { leaseId, target }, message) => edges.report({ event: "LeaseAltered", leaseId, array: target.name, code: "LEASE_ALTERED", message });

// lib/story/signals.ts
var running = /* @__PURE__ */ new Set();
async function whileRunning(session, work) {
  running.add(session);
  try {
    return await work();
  } finally {
    running.delete(session);
  }
}

// lib/story/use-session.ts
var OPENING_MS = 3e4;
var CLOSING_MS = 1e4;
async function withSession(arrayName2, work, options = {}) {
  const { edges = environmentEdges(), deadline, ...fields2 } = options;
  const request = parseLoginRequest({ array: arrayName2, ...fields2 }, edges.newId());
  const workDeadline = deadline === void 0 ? void 0 : deadline - CLOSING_MS;
  const opening = openSession(edges, request, within(OPENING_MS, edges, workDeadline));
  return whileRunning({ edges, leaseId: request.leaseId, opening }, async () => {
    const lease = await opening;
    try {
      const limits = workDeadline === void 0 ? {} : { deadline: workDeadline };
      return await withLease(lease.leaseId, work, { edges, ...limits });
    } finally {
      await closeSession(edges, lease.leaseId, within(CLOSING_MS, edges, deadline)).catch((error) => {
        const { code, message } = known(error);
        edges.report({ event: "LogoutFailed", leaseId: lease.leaseId, array: lease.array, code, message });
      });
    }
  });
}
async function withLease(leaseId, work, options = {}) {
  const { edges = environmentEdges(), deadline } = options;
  let held = await hold(edges, leaseId, within(OPENING_MS, edges, deadline));
  let renewal;
  async function request(call) {
    const used = held;
    const answer = await send(used, call);
    if (!isRefusal(answer)) return answer;
    if (held === used) held = await renewed2(used, call);
    const second = await send(held, call);
    if (isRefusal(second)) throw forbidden(used.lease, call);
    return second;
  }
  async function renewed2(used, call) {
    renewal ??= holdAgain(edges, used, within(OPENING_MS, edges, deadline)).finally(() => {
      renewal = void 0;
    });
    const other = await renewal;
    if (other === used) throw forbidden(used.lease, call);
    return other;
  }
  async function send(by, call) {
    const limits = deadline === void 0 ? {} : { deadline };
    const answer = await edges.flashblade.request(by.session, call, { requestId: edges.newId(), ...limits });
    if (!isRefusal(answer)) by.works = true;
    return answer;
  }
  return work({ lease: leaseOf(held.lease), request });
}
var within = (ms, edges, deadline = Number.POSITIVE_INFINITY) => Math.min(edges.now() + ms, deadline);
var isRefusal = ({ status }) => status === 401 || status === 403;
var forbidden = ({ target, username }, { method, path }) => new FlashBladeError(
  "FORBIDDEN",
  `array ${target.name} refused ${method} ${path} also after a new login: give that user, ${username}, the right to do it, or use another`
);

// lib/story/renew-lease.ts
async function renewLease(edges, request, deadline) {
  const by = closingDeadlines(deadline, edges.now());
  const { leaseId } = request;
  await keepAlive(edges, renewed(edges, await readLease(edges, leaseId, by.logout), request), by.logout);
  for (let round = 0; round < ROUNDS; round++) {
    const current = await readLease(edges, leaseId, by.record);
    const next = renewed(edges, current, request);
    if (await edges.leases.write(next, current, by.record)) return leaseOf(next);
  }
  throw contended(leaseId);
}
function renewed(edges, current, { leaseId, expiresAt }) {
  if (!current) throw new FlashBladeError("LEASE_UNKNOWN", `there is no lease ${leaseId}: open a session first`);
  const { maxLeaseSeconds } = edges.limits;
  if (expiresAt > current.createdAt + maxLeaseSeconds) {
    const rule = `expiresAt must be at most ${maxLeaseSeconds} seconds after the lease was asked for (MAX_LEASE_SECONDS)`;
    throw new FlashBladeError("REQUEST_INVALID", `renew request: ${rule}`);
  }
  return stamped(edges, renew(current, expiresAt, seconds(edges.now())));
}
async function keepAlive(edges, { leaseId, target }, deadline) {
  await withLease(
    leaseId,
    async ({ request }) => {
      const { data: versions } = await edges.flashblade.apiVersions(target, { deadline, requestId: edges.newId() });
      const newest = versions.toSorted(compareVersions).at(-1);
      const path = `/api/${newest}/arrays`;
      const { status } = await request({ method: "GET", path });
      if (status !== 200) throw notRenewed(leaseId, target.name, path, status);
    },
    { edges, deadline }
  );
}
var notRenewed = (leaseId, array2, path, status) => new FlashBladeError(
  status === 429 || status >= 500 ? "ARRAY_BUSY" : "ANSWER_INVALID",
  `array ${array2} answered ${status} to GET ${path}: lease ${leaseId} was not renewed, try again before it ends`,
  { status, sent: true }
);

// lib/story/sweep-one.ts
var PLACES_SECONDS = 600;
var READS_AT_A_TIME = 8;
async function sweepLease(edges, leaseId, deadline) {
  try {
    const by = closingDeadlines(deadline, edges.now());
    const now = seconds(edges.now());
    const current = await readLease(edges, leaseId, by.record);
    if (current === void 0 || current.state === "CLOSED") return "settled";
    if (current.state === "OPENING") {
      if (!isDead(current, now)) return "settled";
      await writeSuspect(edges, current, by.record);
      await settle(edges, current, by.record);
      return "settled";
    }
    if (current.state === "OPEN" && current.expiresAt > now) return "settled";
    return await logOut(edges, current, stamped(edges, claim(current, now)), by) ? "closed" : "settled";
  } catch (error) {
    const silent = isFlashBladeError(error, "ARRAY_UNREACHABLE", "ARRAY_UNTRUSTED", "ARRAY_BUSY", "OUT_OF_TIME");
    if (!silent) fail(edges, `lease ${leaseId}`, error);
    return silent ? "silent" : "settled";
  }
}
async function sweepOwner(edges, ownerId, deadline) {
  await trying(edges, `owner ${ownerId}`, async () => {
    const by = closingDeadlines(deadline, edges.now());
    await closeLeasesOf(edges, ownerId, deadline);
    const item = await edges.leases.read(ownerKey(ownerId), by.record);
    if (item?.kind === "owner") await edges.leases.write(stamped(edges, settleOwner(item)), item, by.record);
  });
}
async function sweepSuspect(edges, attemptId, deadline) {
  await trying(edges, `SUSPECT ${attemptId}`, async () => {
    const by = closingDeadlines(deadline, edges.now());
    const item = await edges.leases.read(suspectKey(attemptId), by.record);
    if (item?.kind !== "suspect" || item.until > seconds(edges.now())) return;
    await dropSuspect(edges, item, by.record);
  });
}
async function dropSuspect(edges, item, by) {
  await edges.leases.remove(item, by);
  await edges.leases.leave(item.target.name, item.id, by);
}
async function sweepPlaces(edges, array2, deadline) {
  await trying(edges, `the places of array ${array2}`, async () => {
    const by = closingDeadlines(deadline, edges.now());
    const now = seconds(edges.now());
    const over = [...await edges.leases.places(array2, by.record)].filter(([, { until }]) => until < now);
    await eachOf(over, READS_AT_A_TIME, async ([leaseId, { attemptId }]) => {
      const lease = await readLease(edges, leaseId, by.record);
      const holds = lease !== void 0 && lease.state !== "CLOSED" && lease.target.name === array2;
      if (!holds) await edges.leases.leave(array2, leaseId, by.record, attemptId);
    });
    await edges.leases.lookAtPlaces(array2, now + PLACES_SECONDS, by.record);
  });
}
async function trying(edges, what, work) {
  try {
    await work();
  } catch (error) {
    fail(edges, what, error);
  }
}
function fail(edges, what, error) {
  const { code, message } = known(error);
  edges.report({ event: "SweepFailed", code, message: `${what} was not swept: ${message}` });
}

// lib/story/sweep.ts
var ARRAYS_AT_A_TIME = 64;
var LEASES_AT_A_TIME = 4;
var OTHERS_AT_A_TIME = 8;
async function sweep(edges, deadline) {
  const startedAt = seconds(edges.now());
  const rows = await edges.leases.pending(closingDeadlines(deadline, edges.now()).logout);
  const lanes = lanesOf(rows, startedAt);
  const done = /* @__PURE__ */ new Set();
  let closed = 0;
  async function sweepArray(lane) {
    let answers = false;
    let silent = false;
    const next = async (row) => {
      if (silent) return;
      const outcome = await sweepLease(edges, row.id, deadline);
      silent ||= outcome === "silent";
      answers ||= outcome === "closed";
      if (outcome !== "silent") done.add(row);
      if (outcome === "closed") closed += 1;
    };
    let first = 0;
    while (first < lane.length && !answers && !silent) await next(lane[first++]);
    await eachOf(lane.slice(first), LEASES_AT_A_TIME, next);
  }
  const others = rows.filter(({ kind, dueAt }) => kind !== "lease" && dueAt <= startedAt);
  await Promise.all([
    eachOf(lanes, ARRAYS_AT_A_TIME, sweepArray),
    eachOf(others, OTHERS_AT_A_TIME, (row) => sweepOther(edges, row, deadline))
  ]);
  const due = rows.filter(({ kind, dueAt }) => kind === "lease" && dueAt <= startedAt);
  const result = {
    ...countsOf(rows),
    closed,
    expired: due.filter(({ state }) => state === "OPEN").length,
    left: due.filter((row) => !done.has(row)).length,
    oldestDueSeconds: due[0] === void 0 ? 0 : startedAt - due[0].dueAt
  };
  tell(edges, rows, result);
  return result;
}
var sweepOther = (edges, { kind, id }, deadline) => kind === "owner" ? sweepOwner(edges, id, deadline) : kind === "places" ? sweepPlaces(edges, id, deadline) : sweepSuspect(edges, id, deadline);
function lanesOf(rows, now) {
  const waits = ({ state }) => state === "CLOSING" || state === "STUCK";
  const leases = rows.filter((row) => row.kind === "lease" && (row.dueAt <= now || waits(row)));
  const lanes = [...Map.groupBy(leases, ({ array: array2 }) => array2).values()];
  return lanes.sort((a, b) => Number(a.some(waits)) - Number(b.some(waits)));
}
var countsOf = (rows) => ({
  live: rows.filter(({ state }) => state === "OPEN").length,
  stuck: rows.filter(({ state }) => state === "STUCK").length,
  suspect: rows.filter(({ kind }) => kind === "suspect").length
});
function tell(edges, rows, result) {
  const { live, stuck, suspect: suspect2, expired, closed, left, oldestDueSeconds } = result;
  const gauges = {
    ...{ LiveLeases: live, StuckLeases: stuck, Suspects: suspect2, ExpiredLeases: expired },
    ...{ ClosedBySweep: closed, LeftBySweep: left, OldestDueAge: oldestDueSeconds }
  };
  edges.report({ event: "SweepDone", gauges, message: `swept: ${closed} closed, ${left} left` });
  for (const [array2, own] of Map.groupBy(rows, (row) => row.array)) {
    if (array2 === void 0) continue;
    const counts = countsOf(own);
    const message = "what the ledger holds of this array";
    const ownGauges = { LiveLeases: counts.live, StuckLeases: counts.stuck, Suspects: counts.suspect };
    edges.report({ event: "ArrayCounted", array: array2, gauges: ownGauges, message });
  }
}
export {
  FlashBladeError,
  closeSession,
  endOwnerOf,
  openSession,
  renewLease,
  sweep,
  withLease,
  withSession
};
