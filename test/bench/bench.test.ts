import assert from 'node:assert/strict';
import { countActions, countCalls, median, mostInASecond, openTimers, quantile } from '../../bench/figures.ts';
import type { CallSeen } from '../../sandbox/faults.ts';
import { makeWorld } from '../support/world.ts';

const call = (method: string, path: string, at = 0): CallSeen => ({ at, method, path, query: '', status: 200 });

describe('the bench counts what it says', () => {
  const calls = [
    call('POST', '/OAuth/Token'),
    call('GET', '/v2/ClientIntegrationInformation'),
    call('GET', '/v2/Products'),
    call('GET', '/contacts'),
    call('PATCH', '/contacts/c1'),
  ];

  it('a deliberate extra call shows up, as what it is', () => {
    assert.deepEqual(countCalls(calls), { lists: 2, writes: 1, reads: 0, other: 2 });
    assert.equal(countCalls([...calls, call('PATCH', '/contacts/c1')]).writes, 2);
    assert.equal(countCalls([...calls, call('GET', '/v2/ContactPersons/1/2')]).reads, 1);
    assert.equal(countCalls([...calls, call('GET', '/v2/ContactPersons')]).lists, 3);
  });

  it('a real extra call to a stand-in shows up too', async () => {
    const world = await makeWorld();
    try {
      await fetch(`${world.crm.url}/contacts/c1`, { headers: { authorization: 'Bearer crm-token' } });
      assert.deepEqual(countCalls(world.crm.disturbance.calls), { lists: 0, writes: 0, reads: 1, other: 0 });
    } finally {
      await world.close();
    }
  });

  it('a deliberate extra event or action shows up', () => {
    const change = [26, 5, 6, 7, 10, 11, 12, 5, 6, 7].map((eventType) => ({ eventType }));
    assert.equal(countActions(change), 2);
    assert.equal(countActions([...change, { eventType: 40 }]), 3);
    assert.equal(countActions([...change, { eventType: 17 }]), 3);
    assert.equal(openTimers(change), 0);
    assert.equal(openTimers([...change, { eventType: 17 }]), 1);
    assert.equal(openTimers([...change, { eventType: 17 }, { eventType: 18 }]), 0);
  });

  it('eleven calls within a second are seen, wherever the second begins', () => {
    assert.equal(mostInASecond(Array.from({ length: 11 }, (_, i) => 500 + i * 99)), 11);
    assert.equal(mostInASecond(Array.from({ length: 11 }, (_, i) => 500 + i * 100)), 10);
  });

  it('medians and quantiles are those of the sorted numbers', () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.99), 10);
  });
});
