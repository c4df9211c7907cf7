import { fetchCrm } from '../../stack/realCrm.ts';
import { onRealCrm } from './scenario.ts';

onRealCrm({
  name: 'directus',
  fetch: () => fetchCrm('directus'),
  single: /\/items\/\w+(\/|\?.*%22_eq%22)/,
  draft: { at: '', refuted: ['unknown id'] },
});
