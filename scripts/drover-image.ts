/** `npm run image:drover` */
import { ensureDroverImage } from './build-drover-image.ts';
import { imageWithSpinner } from './image-with-spinner.ts';

await imageWithSpinner('image of drover', ensureDroverImage);
