'use strict';
const { reporters } = require('mocha');

/** mocha's spec output, closed by one plain line that counts. */
module.exports = class Counting extends reporters.Spec {
  epilogue() {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    console.log(`${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ''}`);
  }
};
