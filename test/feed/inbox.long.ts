import assert from 'node:assert/strict';
import type { Connection } from '@temporalio/client';
import { forEachLimit } from '../../activities/forEachLimit.ts';
import { temporalMessenger } from '../../activities/messenger.ts';
import { rulesOf } from '../../activities/observation.ts';
import { LinkRefuses } from '../../activities/ports.ts';
import { DEFAULT_INSTALLATION, installationNamed } from '../../flows/installation.ts';
import { addSearchAttributes } from '../../worker/temporal.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { makeNamespace } from '../support/temporal.ts';
import { FLOW } from './watching.ts';

describe('the inbox of a link that nobody serves', () => {
  it('is full after 10,000 messages, which is told as the link’s own', async () => {
    const { client, namespace, close } = await makeNamespace();
    try {
      await addSearchAttributes(client.connection as Connection, namespace);
      const links = temporalMessenger({ client, installation: installationNamed(DEFAULT_INSTALLATION), world: undefined });
      await links.start(FLOW, newRecord({ flow: FLOW.name, rules: rulesOf(FLOW), sourceId: '1', seen: null, now: 0 }));
      const seen = { version: '1', instant: '2026-01-01T00:00:00Z', values: {}, inScope: true, at: [0, 0] as const };
      const message = { side: 'source' as const, id: '1', seen };
      const tell = (): Promise<boolean> => links.signalObserved({ flow: FLOW, sourceId: '1' }, message);
      await forEachLimit(Array.from({ length: 10_000 }), async () => void (await tell()));
      await assert.rejects(tell(), LinkRefuses);
    } finally {
      await close();
    }
  });
});
