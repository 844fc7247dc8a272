export const createFolderStateArchives = (_root: string, _botId: string): object => ({});
