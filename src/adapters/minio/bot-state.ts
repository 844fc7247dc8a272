export const createMinioStateArchives = (_access: object, _botId: string): object => ({});
