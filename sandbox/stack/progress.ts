const tty = (): boolean => process.stdout.isTTY === true && process.env['CI'] === undefined;

/** A step that takes a while: its name now, how it went when it is done. */
export async function step<T>(
  name: string,
  work: (say: (text: string) => void) => Promise<T>,
  done: (result: T) => string,
): Promise<T> {
  const began = Date.now();
  if (tty()) process.stdout.write(`  … ${name}`);
  const result = await work((text) => process.stdout.write(tty() ? `\r\u001b[2K  … ${text}` : `  … ${text}\n`));
  process.stdout.write(`${tty() ? '\r\u001b[2K' : ''}  ✓ ${done(result)} (${((Date.now() - began) / 1000).toFixed(1)} s)\n`);
  return result;
}

/** A bar that moves; where there is no terminal, a line for every quarter. */
export class Bar {
  readonly #name: string;
  #said = -1;

  constructor(name: string) {
    this.#name = name;
  }

  show(done: number, all: number): void {
    const share = all === 0 ? 1 : Math.min(1, done / all);
    if (tty()) {
      const width = 32;
      const full = Math.round(share * width);
      process.stdout.write(`\r\u001b[2K  ${this.#name} ${'█'.repeat(full)}${'░'.repeat(width - full)} ${done} of ${all}`);
      return;
    }
    const quarter = Math.floor(share * 4);
    if (quarter > this.#said) process.stdout.write(`  ${this.#name}: ${done} of ${all}\n`);
    this.#said = Math.max(this.#said, quarter);
  }

  end(): void {
    if (tty()) process.stdout.write('\n');
  }
}
