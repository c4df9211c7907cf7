import { runSeeds } from './torture/main.ts';
const name = process.argv[2] as never;
const t = Date.now();
const caught = await runSeeds(1, 1500, [name], 1);
console.log(name, JSON.stringify(caught).slice(0, 300), Date.now() - t);
