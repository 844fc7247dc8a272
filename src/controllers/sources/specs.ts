/** Changes of the wished state, and requests of people and programs, as wakes. "Any of them" asks for a resync. */
import { Observable } from 'rxjs';
import type { SpecStore } from '../../ports/spec-store.ts';
import type { Wake } from '../serial-per-key.ts';

export const specSource = (specs: SpecStore, onAny: () => void): Observable<Wake> =>
  new Observable<Wake>((subscriber) =>
    specs.onChange((id, asked) => {
      if (id === undefined) {
        onAny();
        return;
      }
      const cause =
        asked === undefined
          ? ({ kind: 'spec', id } as const)
          : ({ kind: 'request', requestId: asked.requestId, actor: asked.actor, action: asked.action } as const);
      subscriber.next({ key: id, cause });
    }),
  );
