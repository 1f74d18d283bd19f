"""Lists the file systems of one array through the deployed functions.

    pip install 'boto3>=1.28'
    python3 list_file_systems.py flashblade-sessions-prod fb1

AWS credentials and the region come from the environment. The credentials need lambda:InvokeFunction on login, call-array and logout.
This program gets a lease id, but never a token.
"""

import argparse
import json
import signal
import sys
import time
import uuid
from contextlib import contextmanager

import boto3

# The error codes that docs/errors.md lists as retryable.
RETRYABLE = {
    "SECRET_UNAVAILABLE",
    "ARRAY_UNREACHABLE",
    "ARRAY_BUSY",
    "LOGIN_UNKNOWN",
    "LEASE_OPENING",
    "LEASE_LIMIT",
    "AWS_UNAVAILABLE",
    "OUT_OF_TIME",
}
WAITS = [1, 2, 4, 8, 16]


class FunctionError(Exception):
    """A function failed. `code` is its errorType: a code from docs/errors.md, or one of Lambda's own, such as Sandbox.Timedout."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


def invoke(client, function, request):
    """Invokes a function and returns its result. Retries retryable errors, because every call in this program is safe to repeat."""
    for wait in [*WAITS, None]:
        response = client.invoke(FunctionName=function, Payload=json.dumps(request))
        payload = json.loads(response["Payload"].read())
        # A failed function also returns status 200. Only this field shows the failure.
        if "FunctionError" not in response:
            return payload
        code = payload.get("errorType", "Unknown")
        if code not in RETRYABLE or wait is None:
            raise FunctionError(code, payload.get("errorMessage", ""))
        time.sleep(wait)


@contextmanager
def session(client, stack, array, lease_seconds=600):
    """Opens a session, and closes the session no matter how the block ends."""
    # The lease id is chosen before the login, so a retry returns the same lease, and logout works even if the login's response is lost.
    lease_id = f"list-{uuid.uuid4()}"
    try:
        invoke(client, f"{stack}-login", {"array": array, "leaseId": lease_id, "leaseSeconds": lease_seconds})
        yield lease_id
    finally:
        # Runs after a failed login, too, because the login may have opened a session. If there is no session, logout does nothing.
        try:
            invoke(client, f"{stack}-logout", {"leaseId": lease_id})
        except Exception as error:  # This error must not hide the first one. The sweeper closes the session when the lease expires.
            print(f"logout failed: {error}", file=sys.stderr)


def list_file_systems(client, stack, array):
    query = {"limit": 100}
    with session(client, stack, array) as lease_id:
        while True:
            call = {"leaseId": lease_id, "method": "GET", "path": "/api/2.4/file-systems", "query": query}
            result = invoke(client, f"{stack}-call-array", call)
            if result["status"] != 200:
                raise RuntimeError(f"array {array} returned {result['status']}")
            for file_system in result["body"]["items"]:
                print(f"{file_system['name']} {file_system['provisioned'] / 2**30:g} GiB", flush=True)
            token = result["body"]["continuation_token"]
            if token is None:
                return
            query = {**query, "continuation_token": token}


def main():
    parser = argparse.ArgumentParser(description="Lists the file systems of one array.")
    parser.add_argument("stack", help="for example flashblade-sessions-prod")
    parser.add_argument("array", help="for example fb1")
    args = parser.parse_args()
    # SIGTERM ends Python without running `finally`, unless a signal handler raises an exception.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        list_file_systems(boto3.client("lambda"), args.stack, args.array)
    except FunctionError as error:
        print(error, file=sys.stderr)
        return 75 if error.code in RETRYABLE else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
