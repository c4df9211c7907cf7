/** In a folder of its own, with the package installed: calls the library as it is told, a line a call. */
import { createInterface } from 'node:readline';
import { connectTandem } from 'tandem';

const tandem = await connectTandem();
console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) {
  const { call, args } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ result: (await tandem[call](...args)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.constructor.name, message: error.message }));
  }
}
await tandem.close();
