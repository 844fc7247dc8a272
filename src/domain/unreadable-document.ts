/** A stored document that cannot be read at all. It stands in the place of the document, so that it harms its own bot alone. */
export class UnreadableDocument {
  /** A predicate of the document, such as "is nested more than 64 levels deep". */
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason.slice(0, 300);
  }

  toJSON(): { readonly unreadable: string } {
    return { unreadable: this.reason };
  }
}
