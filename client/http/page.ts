import { html, raw } from 'hono/html';
import { z } from 'zod';
import type { Route } from './route.ts';

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: 14px/1.4 ui-monospace, monospace; background: var(--soft); border-radius: 4px; padding: .1rem .3rem; }
pre { padding: .8rem; overflow-x: auto; } section { border-top: 1px solid var(--line); padding: 1rem 0; }
h3 { margin: .2rem 0; font-size: 1.05rem; } .method { font-weight: 700; text-transform: uppercase; margin-right: .5rem; }
table { border-collapse: collapse; } td { padding: .2rem 1rem .2rem 0; vertical-align: top; } small { opacity: .75; }`;

type Rendered = ReturnType<typeof html>;

/** What a person reads of the interface: every route with its parameters, without script, nothing fetched. */
export function readablePage(routes: readonly Route[], version: string): Rendered {
  const tags = [...new Set(routes.map(({ tag }) => tag))];
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Tandem, HTTP interface</title>
        <style>
          ${raw(STYLE)}
        </style>
      </head>
      <body>
        <h1>Tandem, HTTP interface</h1>
        <p>
          Version ${version}. The same as a machine reads it: <a href="/v1/openapi.json"><code>/v1/openapi.json</code></a
          >. Send a token as <code>Authorization: Bearer …</code>; <code>npx tandem token new</code> makes one. A refusal is
          <code>application/problem+json</code> and says what is wrong, where, and what to do next.
        </p>
        ${tags.map(
          (tag) =>
            html`<h2>${tag}</h2>
              ${routes.filter((each) => each.tag === tag).map(section)}`,
        )}
      </body>
    </html>`;
}

function section(row: Route): Rendered {
  const parameters = [...fields('path', row.params), ...fields('query', row.query)];
  const body = row.body
    ? JSON.stringify(withoutDialect(z.toJSONSchema(row.body, { io: 'input', unrepresentable: 'any' })), null, 2)
    : null;
  return html`<section id="${row.operationId}">
    <h3><span class="method">${row.method}</span><code>${row.path}</code></h3>
    <p>
      ${row.summary}. ${row.description ?? ''} <small>Needs the right <code>${row.right}</code>.</small>
    </p>
    ${
      parameters.length > 0
        ? html`<table>
            ${parameters.map(
              ({ place, name, what }) =>
                html`<tr>
                  <td><code>${name}</code></td>
                  <td><small>${place}</small></td>
                  <td>${what}</td>
                </tr>`,
            )}
          </table>`
        : ''
    }
    ${body === null ? '' : html`<pre>${body}</pre>`}
  </section>`;
}

function fields(place: string, shape: z.ZodObject | undefined): { place: string; name: string; what: string }[] {
  return Object.entries((shape?.shape ?? {}) as Record<string, z.ZodType>).map(([name, schema]) => ({
    place,
    name,
    what:
      schema.description ??
      (z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as { description?: string }).description ??
      '',
  }));
}

const withoutDialect = (schema: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema'));
