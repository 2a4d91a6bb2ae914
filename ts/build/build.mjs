// `npm run build`: everything the package ships.
import { ensure } from './steps/ensure.mjs';

await ensure(['ts', 'bench']);
