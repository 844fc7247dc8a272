/** `npm run image` */
import { ensureBotImage } from './build-image.ts';
import { imageWithSpinner } from './image-with-spinner.ts';

await imageWithSpinner('bot image', ensureBotImage);
