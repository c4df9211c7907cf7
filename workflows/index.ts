export { feed } from './feed.ts';
export { link } from './link.ts';
export { world } from './world.ts';
