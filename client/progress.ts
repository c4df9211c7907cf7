const tty = (out: NodeJS.WriteStream = process.stdout): boolean => out.isTTY === true && process.env['CI'] === undefined;

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

/** A bar that moves; where there is no terminal, a line for every quarter. Goes to `out`, so that JSON stays alone on stdout. */
export class Bar {
  readonly #name: string;
  readonly #out: NodeJS.WriteStream;
  readonly #began = Date.now();
  #said = -1;

  constructor(name: string, out: NodeJS.WriteStream = process.stdout) {
    this.#name = name;
    this.#out = out;
  }

  /** `estimate` adds how long the rest takes at this pace. */
  show(done: number, all: number, estimate = false): void {
    const share = all === 0 ? 1 : Math.min(1, done / all);
    const left = share > 0 && share < 1 ? Math.ceil((((Date.now() - this.#began) / share) * (1 - share)) / 1000) : 0;
    const rest = estimate && left > 0 ? `, about ${left} s left` : '';
    if (tty(this.#out)) {
      const width = 32;
      const full = Math.round(share * width);
      this.#out.write(`\r\u001b[2K  ${this.#name} ${'█'.repeat(full)}${'░'.repeat(width - full)} ${done} of ${all}${rest}`);
      return;
    }
    const quarter = Math.floor(share * 4);
    if (quarter > this.#said) this.#out.write(`  ${this.#name}: ${done} of ${all}${rest}\n`);
    this.#said = Math.max(this.#said, quarter);
  }

  end(): void {
    if (tty(this.#out)) this.#out.write('\n');
  }
}
