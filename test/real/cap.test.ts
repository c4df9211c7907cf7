import { fetchCrm } from '../../stack/realCrm.ts';
import { onRealCrm } from './scenario.ts';

onRealCrm({ name: 'cap', fetch: () => fetchCrm('cap'), single: /\(|externalId%20eq/, draft: { at: '', refuted: [] } });
