/** Prints a command's result: as JSON where that was asked for, else for people. */
export function print(json: boolean | undefined, data: unknown, text: () => string): void {
  console.log(json ? JSON.stringify(data, null, 2) : text());
}
