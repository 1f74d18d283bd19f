/** Logical ids, derived from the names of functions and alarms. */
const capital = (word) => word[0].toUpperCase() + word.slice(1);

/** The id of a resource that this project defines: `call-array` → `CallArray`. */
exports.logicalId = (name) => name.split('-').map(capital).join('');

/** The prefix of the ids that osls gives to a function's resources: `call-array` → `CallDasharray`. */
exports.oslsId = (name) => capital(name).replaceAll('-', 'Dash');
