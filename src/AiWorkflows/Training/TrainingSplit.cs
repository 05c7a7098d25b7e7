namespace AiWorkflows.Training;

/// <summary>
/// The split by time of DESIGN section 4. With cut-off c, history H, holdout h and label horizon w: training <c>[c - H, c - h - w]</c>,
/// holdout <c>[c - h, c - w]</c>, nothing in between, so that no label of a training row lies in the holdout's time.
/// Both ends count; as half-open windows they end one microsecond later.
/// </summary>
internal sealed record TrainingSplit(DateTime CutOff, Window Spine, Window Training, Window Holdout)
{
    private static readonly TimeSpan Inclusive = TimeSpan.FromMicroseconds(1);

    public static TrainingSplit At(DateTime cutOff, TimeSpan history, TimeSpan holdout, TimeSpan within)
    {
        var last = cutOff - within + Inclusive;
        return new(cutOff, new(cutOff - history, last), new(cutOff - history, last - holdout), new(cutOff - holdout, last));
    }
}
