export type StateArchives = object;
