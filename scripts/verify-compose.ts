/** `npm run verify:compose` */
import { checkCompose } from './check-compose.ts';

try {
  const leftOut = await checkCompose((step, detail = '') => {
    console.log(`${step} ${detail}`);
  });
  console.log(leftOut === undefined ? 'The compose files are valid.' : `NOT TESTED: ${leftOut}`);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
