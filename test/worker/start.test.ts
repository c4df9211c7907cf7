import assert from 'node:assert/strict';
import { POWEROFFICE_CATALOGUE } from '../../connectors/powerOffice/catalogue.ts';
import { catalogueOf } from '../../connectors/crm/connector.ts';
import { DEFAULT_PROFILE } from '../../connectors/crm/profile/default.ts';
import { SPECIFICATION } from '../../flows/specification.ts';
import { validateFlows } from '../../flows/validate.ts';
import { TandemError } from '../../flows/tandemError.ts';
import { readConfig } from '../../worker/config.ts';
import { longestPause, pollSecondsOf, unknownPauses } from '../../worker/pollSeconds.ts';
import { missingPrivileges } from '../../worker/privileges.ts';

const CATALOGUES = [POWEROFFICE_CATALOGUE, catalogueOf(DEFAULT_PROFILE)];
const FLOWS = validateFlows(SPECIFICATION, CATALOGUES);
const ENV = {
  POWEROFFICE_URL: 'http://localhost/v2',
  POWEROFFICE_APPLICATION_KEY: 'a',
  POWEROFFICE_CLIENT_KEY: 'b',
  POWEROFFICE_SUBSCRIPTION_KEY: 'c',
  CRM_URL: 'http://localhost',
};
const problems = (env: Record<string, string>): string => {
  try {
    readConfig({ ...ENV, ...env });
    return '';
  } catch (error) {
    assert.ok(error instanceof TandemError);
    return error.message;
  }
};

describe('how often a type is looked at', () => {
  const pauses = (text?: string): ((system: string, type: string) => number) =>
    pollSecondsOf(
      readConfig({ ...ENV, ...(text === undefined ? {} : { TANDEM_POLL_SECONDS: text }) }).TANDEM_POLL_SECONDS,
      CATALOGUES,
    );

  it('types that move slowly less often, people every half minute, unless told otherwise', () => {
    const preset = pauses();
    assert.equal(preset('powerOffice', 'ContactPerson'), 30);
    assert.equal(preset('powerOffice', 'Product'), 300);
    assert.equal(preset('powerOffice', 'TimeTrackingActivity'), 900);
    assert.equal(preset('crm', 'Contact'), 30);
    assert.equal(longestPause(preset, FLOWS), 300);
  });

  it('one number is for every type; a list is for the types that it names', () => {
    assert.equal(pauses('2')('powerOffice', 'Product'), 2);
    assert.equal(pauses('0.2')('crm', 'Contact'), 0.2);
    const some = pauses('contactperson=10, Company=60');
    assert.deepEqual(
      [some('powerOffice', 'ContactPerson'), some('crm', 'Company'), some('powerOffice', 'Product'), some('crm', 'Contact')],
      [10, 60, 300, 30],
    );
  });

  it('what is no pause is refused with what is wrong', () => {
    assert.match(problems({ TANDEM_POLL_SECONDS: 'soon' }), /TANDEM_POLL_SECONDS is not a number/);
    assert.match(problems({ TANDEM_POLL_SECONDS: '0' }), /must be more than 0/);
    assert.match(problems({ TANDEM_POLL_SECONDS: 'Product=0' }), /"Product=0" is no type with seconds above 0/);
    assert.match(problems({ TANDEM_POLL_SECONDS: 'Product=5,7' }), /"7" is no type/);
    assert.match(
      unknownPauses({ prodct: 5 }, CATALOGUES)[0] ?? '',
      /names the type "prodct", which neither system has; known are Product/,
    );
    assert.deepEqual(unknownPauses({ product: 5, contact: 7 }, CATALOGUES), []);
  });
});

describe('what an integration may do in PowerOffice Go', () => {
  const full = ['Product_Full', 'ContactPerson_Full', 'Supplier_Full'];

  it('enough is enough, whatever the role is called', () => {
    assert.deepEqual(missingPrivileges(FLOWS, full), []);
    // A flow without properties never writes to a product, and a contact person may be reached through its customer.
    assert.deepEqual(missingPrivileges(FLOWS, ['product', 'Customer_Full', 'Supplier_Full']), []);
  });

  it('each missing one by name, with what it stops', () => {
    const [unread, unwritten, ...more] = missingPrivileges(FLOWS, ['ContactPerson_Full', 'Supplier']);
    assert.deepEqual(more, []);
    assert.match(unread ?? '', /privilege Product \(or Product_Full\) is missing: no Product can be read.*product-company/);
    assert.match(
      unwritten ?? '',
      /privilege Supplier_Full is missing: .*refuse every write to a Supplier.*supplierperson-contact/,
    );
  });
});

describe('what an installation says of itself', () => {
  it('whether Tandem may write references, and whom a provider may write to', () => {
    assert.equal(readConfig(ENV).POWEROFFICE_WRITE_REFERENCES, false);
    assert.equal(readConfig({ ...ENV, POWEROFFICE_WRITE_REFERENCES: 'yes' }).POWEROFFICE_WRITE_REFERENCES, true);
    assert.match(problems({ POWEROFFICE_WRITE_REFERENCES: 'perhaps' }), /POWEROFFICE_WRITE_REFERENCES is neither yes nor no/);
    assert.match(problems({ TANDEM_CONTACT: 'a\nb' }), /TANDEM_CONTACT must be plain ASCII/);
  });
});
