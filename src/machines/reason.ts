/** Stable reasons of conditions, CamelCase as the field has them (feature A5). */
export const pascal = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** `STORAGE_UNAVAILABLE` → `StorageUnavailable`. */
export const camelCode = (code: string): string => code.toLowerCase().split('_').map(pascal).join('');
