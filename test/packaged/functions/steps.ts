/** Names for the AWS calls of a function, such as `PutItem lease OPENING`. */
import type { ServiceCall } from '../../kit/aws/index.ts';

type Input = {
  readonly Key?: { readonly id: { readonly S: string } };
  readonly Item?: { readonly id: { readonly S: string }; readonly state?: { readonly S: string } };
};

/** Action, kind of item and its new state. Contains nothing that differs between leases. */
export function stepOf({ action, body }: ServiceCall): string {
  const { Key, Item } = body as Input;
  const kind = (Key ?? Item)?.id.S.split('#')[0];
  return [action, kind, Item?.state?.S].filter((part) => part !== undefined).join(' ');
}
