import type { Description } from './schema.ts';

/**
 * Time tracking activities. The extract of the provider's description leaves them out: their address and their fields
 * are known from its documentation, that they can be created, changed and deleted like the others is assumed.
 */
const ref = (name: string): { $ref: string } => ({ $ref: `#/components/schemas/${name}` });
const body = (name: string) => ({ content: { 'application/json': { schema: ref(name) } } });
const list = (name: string) => ({ content: { 'application/json': { schema: { type: 'array', items: ref(name) } } } });
const problem = body('ProblemDetails');
const id = [{ name: 'id', in: 'path', schema: { type: 'integer', format: 'int64' } }];
const values = {
  Name: { type: 'string', nullable: true },
  IsActive: { type: 'boolean', nullable: true },
  ProductId: { type: 'integer', format: 'int64', nullable: true },
  ProjectId: { type: 'integer', format: 'int64', nullable: true },
};

export const TIME_TRACKING: Description = {
  paths: {
    '/TimeTracking/ActivityTime': {
      get: {
        parameters: [{ name: 'resourceParameter', in: 'query', schema: ref('ResourceParameters') }],
        responses: { 200: list('TimeTrackingActivityDto'), 204: {}, 400: problem },
      },
      post: {
        requestBody: body('TimeTrackingActivityPostDto'),
        responses: { 201: body('TimeTrackingActivityDto'), 400: problem, 404: problem },
      },
    },
    '/TimeTracking/ActivityTime/{id}': {
      get: { parameters: id, responses: { 200: body('TimeTrackingActivityDto'), 404: problem } },
      patch: { parameters: id, responses: { 200: body('TimeTrackingActivityDto'), 400: problem, 404: problem } },
      delete: { parameters: id, responses: { 200: {}, 404: problem, 409: problem } },
    },
  },
  components: {
    schemas: {
      TimeTrackingActivityDto: {
        type: 'object',
        properties: { Id: { type: 'integer', format: 'int64', readOnly: true }, ...values },
      },
      TimeTrackingActivityPostDto: { type: 'object', required: ['Name'], properties: values },
    },
  },
  patchable: { TimeTrackingActivity: Object.keys(values) },
};
