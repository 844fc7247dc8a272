/** The store in memory that thousands of test worlds stand on behaves as the real ones do. */
import { createMemoryEventStore } from '../support/memory-event-store.ts';
import { eventStoreContract } from './event-store-contract.ts';

eventStoreContract('memory', () => {
  const store = createMemoryEventStore();
  return Promise.resolve({ store, another: () => Promise.resolve(store), close: () => store.close() });
});
