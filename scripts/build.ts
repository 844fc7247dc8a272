/** `npm run build` */
import { buildDrover } from './build-drover.ts';

await buildDrover();
