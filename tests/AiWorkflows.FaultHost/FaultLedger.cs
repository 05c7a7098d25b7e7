using System.Reflection;
using AiWorkflows.Workflows;

namespace AiWorkflows.FaultHost;

/// <summary>A ledger, and a point before and after each of its transactions.</summary>
public class FaultLedger : DispatchProxy
{
    private static readonly MethodInfo Typed = typeof(FaultLedger).GetMethod(nameof(AfterAsync), BindingFlags.NonPublic | BindingFlags.Instance)!;
    private object _inner = null!;
    private Faults _faults = null!;

    internal static ILedger Around(ILedger inner, Faults faults)
    {
        var proxy = Create<ILedger, FaultLedger>();
        var self = (FaultLedger)(object)proxy;
        (self._inner, self._faults) = (inner, faults);
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var name = targetMethod!.Name;
        _faults.Reach("before " + name);
        var result = targetMethod.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, args, null);
        return targetMethod.ReturnType.IsGenericType
            ? Typed.MakeGenericMethod(targetMethod.ReturnType.GetGenericArguments()[0]).Invoke(this, [result, name])
            : DoneAsync((Task)result!, name);
    }

    private async Task<T> AfterAsync<T>(Task<T> transaction, string name)
    {
        var result = await transaction;
        _faults.Reach("after " + name);
        return result;
    }

    private async Task DoneAsync(Task transaction, string name)
    {
        await transaction;
        _faults.Reach("after " + name);
    }
}
