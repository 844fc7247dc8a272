/** Where running bots are reached: looked up once a container, and kept until it is another one. */
import type { InstanceRef } from '../../domain/observation.ts';
import type { EndpointLook, QueryContainers } from '../../ports/query-containers.ts';
import type { ProxyTarget, QueryProxy } from '../../ports/query-proxy.ts';

export interface AddressesOptions {
  readonly containers: Pick<QueryContainers, 'endpointOf'>;
  readonly proxy: QueryProxy;
}

export type Address =
  { readonly kind: 'target'; readonly target: ProxyTarget } | Exclude<EndpointLook, { kind: 'endpoint' }>;

interface Entry {
  readonly containerId: string;
  readonly look: Promise<Address>;
  target?: ProxyTarget;
}

export interface Addresses {
  /** The way to this container where it is known by now. */
  known(bot: { readonly botId: string; readonly ref: InstanceRef }): ProxyTarget | undefined;
  /** @throws DroverError as the engine does */
  of(bot: { readonly botId: string; readonly ref: InstanceRef }): Promise<Address>;
  /** It turned out to be wrong. */
  forget(botId: string, target: ProxyTarget): void;
  /** Of this bot only what belongs to this container is kept. */
  retain(botId: string, containerId: string | undefined): void;
  close(): void;
}

export const createAddresses = ({ containers, proxy }: AddressesOptions): Addresses => {
  const entries = new Map<string, Entry>();

  const drop = (botId: string): void => {
    const entry = entries.get(botId);
    entries.delete(botId);
    void entry?.look.then(
      (address) => {
        if (address.kind === 'target') address.target.close();
      },
      () => undefined,
    );
  };

  const look = async (ref: InstanceRef): Promise<Address> => {
    const found = await containers.endpointOf(ref);
    return found.kind === 'endpoint' ? { kind: 'target', target: proxy.open(found.endpoint) } : found;
  };

  return {
    known({ botId, ref }) {
      const entry = entries.get(botId);
      return entry?.containerId === ref.id ? entry.target : undefined;
    },
    of({ botId, ref }) {
      const known = entries.get(botId);
      if (known?.containerId === ref.id) return known.look;
      if (known !== undefined) drop(botId);
      const entry: Entry = { containerId: ref.id, look: look(ref) };
      entries.set(botId, entry);
      const unkeep = (): void => {
        if (entries.get(botId) === entry) entries.delete(botId);
      };
      // Only what stays true is kept: that there is an address, and that a container has no query program.
      entry.look.then((address) => {
        if (address.kind === 'target') entry.target = address.target;
        else if (address.kind !== 'mute') unkeep();
      }, unkeep);
      return entry.look;
    },
    forget(botId, target) {
      // Of many that found out at once only the first finds it here: the others must not take the new one away.
      if (entries.get(botId)?.target === target) entries.delete(botId);
      target.close();
    },
    retain(botId, containerId) {
      const entry = entries.get(botId);
      if (entry !== undefined && entry.containerId !== containerId) drop(botId);
    },
    close() {
      for (const botId of [...entries.keys()]) drop(botId);
    },
  };
};
