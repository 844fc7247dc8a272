/** A statechart as a Mermaid picture, read off the machine that drover runs. */
import type { AnyStateMachine } from 'xstate';

interface Node {
  readonly key: string;
  readonly id: string;
  readonly states: Readonly<Record<string, Node>>;
  readonly transitions: ReadonlyMap<string, readonly { readonly target?: readonly Node[] | undefined }[]>;
}

const leaves = (node: Node): readonly Node[] => {
  const children = Object.values(node.states);
  return children.length === 0 ? [node] : children.flatMap(leaves);
};

/** `bot.failed.backingOff` → `failed.backingOff`. */
export const pathOf = ({ id }: Node): string => id.slice(id.indexOf('.') + 1);
const nameIn = (node: Node): string => pathOf(node).replaceAll('.', '_');

export const statePaths = (machine: AnyStateMachine): readonly string[] =>
  leaves(machine.root as unknown as Node).map(pathOf);

export const stateDiagram = (machine: AnyStateMachine): string => {
  const states = leaves(machine.root);
  const edges = states.flatMap((from) => {
    const events = new Map<Node, string[]>();
    for (const [event, transitions] of from.transitions) {
      for (const target of transitions.flatMap(({ target: targets = [] }) => targets)) {
        events.set(target, [...(events.get(target) ?? []), event]);
      }
    }
    return [...events].map(
      ([to, names]) => `  ${nameIn(from)} --> ${nameIn(to)}: ${[...new Set(names)].join('<br/>')}`,
    );
  });
  return [
    '```mermaid',
    'stateDiagram-v2',
    ...states.map((state) => `  state "${pathOf(state)}" as ${nameIn(state)}`),
    ...edges,
    '```',
  ].join('\n');
};
