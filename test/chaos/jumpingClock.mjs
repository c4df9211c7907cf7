// Loaded before a worker: at each SIGUSR2 its clock jumps, and jumps back at the next. Plain, since its threads load it too.
import { isMainThread } from 'node:worker_threads';

const RealDate = Date;
const JUMP_MS = 5000;
let ahead = 0;

if (isMainThread) {
  process.on('SIGUSR2', () => {
    ahead = ahead === 0 ? JUMP_MS : 0;
  });
  console.error('its clock can jump');
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [target.now() + ahead] : args, newTarget),
    apply: (target) => new target(target.now() + ahead).toString(),
    get: (target, key) => (key === 'now' ? () => target.now() + ahead : Reflect.get(target, key)),
  });
}
