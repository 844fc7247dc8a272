/** Changes of the wished state, and requests of people and programs, as wakes. "Any of them" asks for a resync. */
import { Observable } from 'rxjs';
import type { Cause } from '../../domain/recorded.ts';
import type { SpecStore } from '../../ports/spec-store.ts';
import { requestCause } from '../request-cause.ts';
import type { Wake } from '../serial-per-key.ts';

export const specSource = (specs: Pick<SpecStore, 'onChange'>, onAny: () => void): Observable<Wake> =>
  new Observable<Wake>((subscriber) =>
    specs.onChange((id, asked) => {
      if (id === undefined) {
        onAny();
        return;
      }
      const cause: Cause = asked === undefined ? { kind: 'spec', id } : requestCause(asked);
      subscriber.next({ key: id, cause });
    }),
  );
