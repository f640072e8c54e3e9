package he_test

// Known answers: the primes were found a second time by another programme, the
// others pin what exists, so that stored leaves keep their meaning.
var (
	addQ  = []uint64{9007199254429697, 4503599627149313}
	addT  = []uint64{68719403009, 68719230977}
	mulQ  = []uint64{18014398508400641, 9007199254429697, 9007199254364161}
	mulT  = []uint64{68719230977, 68718428161}
	addID = "d86e223a318580fcb0ca9731fb15a4bb5da3dfa1a09cda02ef90edbe0b21d87e"
	mulID = "30b53bdbae679e5da8d0daef16de9c5d1b7e395e816727a32ccf68308067d2d7"

	expandKnown = "[3291070544295908 12700441990425439]"
	leafKnown   = "6932c43b3f767399c4b7836bf46ff9d5a492aaffee6535cd193fe9e91ee736c7"
)
