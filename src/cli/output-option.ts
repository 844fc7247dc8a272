/** `-o`, as every command that shows something has it: what it does not know is refused with what there is. */
import { Option } from 'commander';

/** For programs, or the usual form for people. */
export const jsonOption = (): Option => new Option('-o, --output <form>', '`json` for programs').choices(['json']);
