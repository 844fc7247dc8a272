/** Who asked, as the cause of what follows. */
import type { Cause } from '../domain/recorded.ts';
import type { Asked } from '../ports/spec-store.ts';

export const requestCause = ({ requestId, actor, action, message }: Asked): Cause =>
  message === undefined ? { kind: 'request', requestId, actor, action } : { kind: 'message', ...message };
