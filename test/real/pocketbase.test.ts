import { fetchCrm } from '../../stack/realCrm.ts';
import { onRealCrm } from './scenario.ts';

onRealCrm({
  name: 'pocketbase',
  fetch: () => fetchCrm('pocketbase'),
  single: /\/records\/\w|externalId%20%3D/,
  draft: { at: '/api/collections/contacts/records', refuted: [] },
});
