/** A place that code which is not a stream can put wakes into: timers, the API, the engine's callbacks. */
import { Subject, type Observable } from 'rxjs';
import type { Cause } from '../../domain/recorded.ts';
import type { Wake } from '../serial-per-key.ts';

export interface WakeSubject {
  readonly wakes: Observable<Wake>;
  wake(key: string, cause: Cause): void;
}

export const createWakes = (): WakeSubject => {
  const subject = new Subject<Wake>();
  return {
    wakes: subject.asObservable(),
    wake: (key, cause) => {
      subject.next({ key, cause });
    },
  };
};
