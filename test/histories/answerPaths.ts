import type { Path } from './walker.ts';

/** Paths on which a write is answered with more, or with less, than that it was made. */
export const ANSWER_PATHS: Readonly<Record<string, Path>> = {
  contended: {
    walk: async (link) => {
      link.editUnseen('target', { familyName: 'Dal' });
      link.stand.next.writeRecord = [{ kind: 'contended', found: { target: link.stand.shown('target') } }];
      await link.edit('source', { FirstName: 'Eva' });
      await link.settled();
    },
  },
  'arrived-without-an-answer': {
    walk: async (link) => {
      link.editUnseen('target', { givenName: 'Eva' });
      const told = link.stand.shown('target');
      // It arrived, nobody was told, and the target was edited once more.
      link.editUnseen('source', { FirstName: 'Eva' });
      link.editUnseen('target', { givenName: 'Siri' });
      const found = { source: link.stand.shown('source'), target: link.stand.shown('target') };
      link.stand.next.writeRecord = [{ kind: 'contended', found, unanswered: true }];
      await link.edit('target', {}, told);
      await link.settled();
    },
  },
  'news-with-an-answer': {
    walk: async (link) => {
      link.editUnseen('source', { LastName: 'Moe' });
      link.stand.next.writeRecord = [
        {
          kind: 'written',
          seen: { ...link.stand.shown('target'), values: { givenName: 'Eva', familyName: 'Lie' } },
          news: { source: link.stand.shown('source', { values: { FirstName: 'Eva', LastName: 'Moe' } }) },
        },
      ];
      link.stand.values.target['givenName'] = 'Eva';
      await link.edit('source', { FirstName: 'Eva', LastName: 'Lie' });
      await link.settled();
    },
  },
};
