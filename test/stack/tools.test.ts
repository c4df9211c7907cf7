import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executable } from '../../stack/tools.ts';

describe('a program that was installed earlier', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'tandem-tools-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function file(text: string, mode = 0o755): string {
    const path = join(folder, 'program');
    writeFileSync(path, text, { mode });
    return path;
  }

  it('is there where its interpreter is', () => {
    assert.equal(executable(file(`#!${process.execPath}\n`)), true);
    assert.equal(executable(file(`#!/usr/bin/env node\n`)), true);
    assert.equal(executable(file(`#!/bin/sh\n'''exec' "${process.execPath}" "$0" "$@"\n' '''\n`)), true);
    assert.equal(executable(file('\x7fELF')), true);
  });

  it('is not there where its interpreter is gone, as after its folder was moved', () => {
    assert.equal(executable(file(`#!${join(folder, 'venv/bin/python')}\n`)), false);
    assert.equal(executable(file(`#!/bin/sh\n'''exec' "${join(folder, 'venv/bin/python')}" "$0" "$@"\n' '''\n`)), false);
  });

  it('is not there where it may not be run, or is no file', () => {
    assert.equal(executable(file('#!/bin/sh\n', 0o644)), false);
    assert.equal(executable(join(folder, 'nothing')), false);
  });
});
