/** Logical ids, derived from function and alarm names. */
const capital = (word) => word[0].toUpperCase() + word.slice(1);

/** The logical id of a resource that this project defines: `call-array` → `CallArray`. */
exports.logicalId = (name) => name.split('-').map(capital).join('');

/** The prefix of the logical ids that osls assigns to a function's resources: `call-array` → `CallDasharray`. */
exports.oslsId = (name) => capital(name).replaceAll('-', 'Dash');
